#include "tests/federation/federation.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include "common/artefact/generator_file.h"
#include "common/core/clock.h"
#include "common/core/hex.h"
#include "common/crypto/sha256.h"
#include "common/data/schema.h"
#include "common/query/public_random.h"
#include "tests/support/shared_data.h"

namespace synod::testing {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(50);

// A port that is free now, below those that the system hands out for outgoing connections: between here and the
// daemon's start no connection of another test can take it, only one that was drawn here at the same moment.
std::uint16_t FreePort() {
  constexpr std::uint32_t kFirst = 15000;
  constexpr std::uint32_t kCount = 17000;
  std::random_device random;
  for (int attempt = 0; attempt < 100; ++attempt) {
    const auto port = static_cast<std::uint16_t>(kFirst + random() % kCount);
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const bool bound = bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(descriptor);
    if (bound) return port;
  }
  return 0;
}

std::string ProgramPath(const std::string& name) {
  return std::string(SYNOD_BINARY_DIR) + "/tests/" + name;
}

}  // namespace

bool Eventually(const std::function<bool()>& holds, double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

Federation::Federation(FederationOptions options)
    : options_(std::move(options)), folder_(TemporaryFolder()), port_(FreePort()) {
  ConsortiumOptions consortium;
  consortium.name = "test";
  consortium.coordinator_address = address();
  consortium.now_unix = SystemClock().UnixSeconds() - 86'400 * options_.consortium_days;
  Result<Kits> kits = MakeKits(folder_, consortium, options_.sites);
  if (!kits.ok()) {
    ADD_FAILURE() << kits.error().message;
    return;
  }
  kits_ = std::move(*kits);
  WriteText(kit_of(kCoordinator) + "/local/coordinator.toml",
            fmt::format("[listen]\naddress = \"{}\"\n[compute]\nthreads = 1\n", address()));
  WriteRun();
  for (const std::string& site : options_.sites) WriteSite(site);
}

Federation::~Federation() {
  for (auto& [name, process] : processes_) {
    if (process.child) process.child->Signal(SIGTERM);
  }
  for (auto& [name, process] : processes_) {
    if (process.child) process.child->WaitFor(10.0);
  }
}

std::string Federation::address() const {
  return fmt::format("127.0.0.1:{}", port_);
}

std::string Federation::kit_of(const std::string& name) const {
  return name == kCoordinator ? kits_.coordinator : kits_.sites.at(name);
}

void Federation::WriteRun() const {
  std::string model = fmt::format("family = \"{}\"\n", options_.family) + options_.model_options;
  if (options_.family == "independent_columns" && options_.model_options.empty()) {
    model += fmt::format("rounds = {}\n", options_.rounds);
  }
  WriteText(
      run_file(),
      fmt::format("[run]\nname = \"wards\"\nseed = 5\nsites = {}\naggregation = \"{}\"\n{}deadline_seconds = "
                  "{}\nslot_seconds = {}\n"
                  "[schema]\nfile = \"schema.toml\"\n[model]\n{}[privacy]\nepsilon = {}\ndelta = 1e-4\nunits = {}\n",
                  options_.sites.size(), options_.aggregation,
                  options_.quorum == 0 ? "" : fmt::format("quorum = {}\n", options_.quorum), options_.deadline_seconds,
                  options_.slot_seconds, model, options_.epsilon, options_.units));
  WriteText(schema_file(), SchemaText());
}

std::string Federation::SchemaText() const {
  if (!options_.schema.empty()) return options_.schema;
  return "name = \"wards\"\n"
         "[[column]]\nname = \"age\"\ntype = \"integer\"\nmin = 0\nmax = 110\n"
         "[[column]]\nname = \"ward\"\ntype = \"categorical\"\nvalues = [\"north\", \"south\", \"east\"]\n";
}

std::string Federation::RecordsOf(const std::string& site) const {
  if (const auto file = options_.tables.find(site); file != options_.tables.end()) return ReadText(file->second);
  static constexpr const char* kWards[] = {"north", "south", "east"};
  PublicRandom random(options_.seed, "test.table." + site);
  std::string table = "age,ward\n";
  for (std::size_t row = 0; row < options_.rows; ++row) {
    table += fmt::format("{},{}\n", random.IntegerBelow(111), kWards[random.IntegerBelow(3)]);
  }
  return table;
}

void Federation::WriteSite(const std::string& site) const {
  const Result<Schema> schema = Schema::FromToml(SchemaText(), "schema.toml");
  if (!schema.ok()) {
    ADD_FAILURE() << schema.error().message;
    return;
  }
  std::vector<std::string> columns;
  for (const Column& column : schema->columns()) columns.push_back(fmt::format("\"{}\"", column.name));
  WriteText(table_of(site), RecordsOf(site));
  WriteText(kit_of(site) + "/local/site.toml",
            fmt::format("[[dataset]]\nname = \"records\"\nschema = \"{}\"\nfile = \"records.csv\"\n"
                        "[compute]\nthreads = 1\n",
                        schema->name()));
  WriteText(kit_of(site) + "/local/policy.toml",
            fmt::format("[[lifetime]]\ndataset = \"records\"\nepsilon = {}\ndelta = 1e-4\n"
                        "[[allow]]\ndataset = \"records\"\nfamilies = [\"{}\"]\ncolumns = [{}]\n"
                        "operators = [\"operator\"]\nmax_epsilon = {}\nmax_own_share_epsilon = 100\n"
                        "max_delta = 1e-4\nunit = \"record\"\napproval = \"{}\"\n",
                        options_.lifetime_epsilon, options_.family, fmt::join(columns, ", "), options_.epsilon,
                        options_.approval));
}

ChildProcess::Settings Federation::InstalledProgram(const std::string& name) const {
  ChildProcess::Settings settings;
  settings.program =
      std::string(SYNOD_BINARY_DIR) + (name == kCoordinator ? "/bin/synod-coordinator" : "/bin/synod-site");
  settings.arguments = {"run", "--kit", kit_of(name)};
  return settings;
}

ChildProcess::Settings Federation::TestProgram(const std::string& name) const {
  ChildProcess::Settings settings;
  settings.program = ProgramPath(name == kCoordinator ? "test_coordinator" : "test_site");
  settings.arguments = {"--kit",
                        kit_of(name),
                        "--worker",
                        ProgramPath("test_worker"),
                        "--worker-argument=--seed",
                        fmt::format("--worker-argument={}", options_.seed),
                        "--worker-argument=--site",
                        "--worker-argument=" + name};
  return settings;
}

void Federation::Start(const std::string& name, const std::vector<std::string>& arguments,
                       const std::vector<std::string>& environment) {
  Process& process = processes_[name];
  process.child.reset();
  process.output_file = folder_ + "/" + name + ".output";
  ChildProcess::Settings settings = options_.installed ? InstalledProgram(name) : TestProgram(name);
  settings.arguments.insert(settings.arguments.end(), arguments.begin(), arguments.end());
  settings.environment = environment;
  settings.output_file = process.output_file;
  Result<ChildProcess> child = ChildProcess::Start(settings);
  if (!child.ok()) {
    ADD_FAILURE() << child.error().message;
    return;
  }
  process.child = std::move(*child);
}

std::string Federation::AddMember(Role role, const std::string& name) {
  const std::string folder = folder_ + "/" + name;
  const Result<std::string> kit = MakeKit(kits_.consortium, folder, role, name, SystemClock().UnixSeconds());
  if (!kit.ok()) ADD_FAILURE() << kit.error().message;
  return folder;
}

std::string Federation::AddSite(const std::string& name) {
  kits_.sites[name] = AddMember(Role::kSite, name);
  WriteSite(name);
  return kit_of(name);
}

void Federation::StartAll() {
  Start(kCoordinator);
  for (const std::string& site : options_.sites) Start(site);
}

void Federation::Kill(const std::string& name) {
  Process& process = processes_.at(name);
  if (process.child) process.child->Kill();
}

int Federation::Terminate(const std::string& name) {
  Process& process = processes_.at(name);
  if (!process.child) return -1;
  process.child->Signal(SIGTERM);
  const bool ended = process.child->WaitFor(10.0);
  const int code = ended ? process.child->exit_code().value_or(-1) : -1;
  process.child.reset();
  return code;
}

void Federation::Signal(const std::string& name, int signal) {
  Process& process = processes_.at(name);
  if (process.child) process.child->Signal(signal);
}

bool Federation::Running(const std::string& name) {
  Process& process = processes_[name];
  return process.child && process.child->Running();
}

std::int64_t Federation::ProcessId(const std::string& name) const {
  const Process& process = processes_.at(name);
  return process.child ? process.child->process_id() : 0;
}

std::vector<std::string> Federation::Revive() {
  std::vector<std::string> ended;
  for (const auto& [name, process] : processes_) {
    if (!Running(name)) ended.push_back(name);
  }
  for (const std::string& name : ended) Start(name);
  return ended;
}

ProgramRun Federation::Synod(std::vector<std::string> arguments) const {
  return RunTool(arguments, {"SYNOD_KIT=" + kits_.first_operator});
}

ProgramRun Federation::SiteTool(const std::string& site, std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"--kit", kit_of(site)});
  return RunProgram(std::string(SYNOD_BINARY_DIR) + "/bin/synod-site", arguments);
}

Json Federation::SiteView(const std::string& site, std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"--format", "json"});
  const ProgramRun run = SiteTool(site, std::move(arguments));
  if (run.exit_code != 0 || !Json::accept(run.out)) return Json::object();
  return Json::parse(run.out).value("data", Json::object());
}

Json Federation::SiteLine(const std::string& site) const {
  const ProgramRun list = Synod({"site", "list", "--format", "json"});
  if (list.exit_code != 0 || !Json::accept(list.out)) return Json::object();
  const Json parsed = Json::parse(list.out);
  for (const Json& line : parsed.at("data").at("sites")) {
    if (line.value("site", "") == site) return line;
  }
  return Json::object();
}

std::string Federation::LogOf(const std::string& name) const {
  const auto found = processes_.find(name);
  return found == processes_.end() ? "" : ReadText(found->second.output_file);
}

std::string Federation::Submit() const {
  // The coordinator may have been started just now.
  std::string run;
  ProgramRun submitted;
  Eventually(
      [&] {
        submitted = Synod({"run", "submit", run_file(), "--sites", fmt::format("{}", fmt::join(options_.sites, ","))});
        return submitted.exit_code != 2;
      },
      30.0);
  if (submitted.exit_code != 0) {
    ADD_FAILURE() << submitted.both() << Logs();
    return "";
  }
  return submitted.out.substr(0, submitted.out.find('\n'));
}

Json Federation::Show(const std::string& run) const {
  const ProgramRun shown = Synod({"run", "show", run, "--format", "json"});
  if (shown.exit_code != 0 || !Json::accept(shown.out)) return nullptr;
  return Json::parse(shown.out).value("data", Json());
}

std::string Federation::StateOf(const std::string& run) const {
  const Json view = Show(run);
  return view.is_object() ? view.value("state", "") : "";
}

bool Federation::WaitFor(const std::string& run, const std::vector<std::string>& states, bool revive, double seconds) {
  return Eventually(
      [&] {
        if (revive) Revive();
        const std::string state = StateOf(run);
        return std::find(states.begin(), states.end(), state) != states.end();
      },
      seconds);
}

std::string Federation::Fetch(const std::string& run) const {
  const std::string file = folder_ + "/" + run + ".synod";
  const ProgramRun fetched = Synod({"run", "fetch", run, "-o", file});
  EXPECT_EQ(fetched.exit_code, 0) << fetched.both();
  return file;
}

std::string Federation::FetchVerified(const std::string& run) {
  EXPECT_TRUE(Eventually([&] {
    Revive();
    return Show(run).value("complete", false);
  })) << Synod({"run", "why", run}).both()
      << Logs();
  const std::string file = Fetch(run);
  const ProgramRun verified = RunTool({"verify", file, "--trust", kits_.first_operator + "/trust/ca.pem"});
  EXPECT_EQ(verified.exit_code, 0) << verified.both();
  return file;
}

void Federation::ExpectWholeLedgers() const {
  for (const std::string& site : options_.sites) {
    const ProgramRun ledger = SiteTool(site, {"ledger", "verify"});
    EXPECT_EQ(ledger.exit_code, 0) << ledger.both();
  }
}

std::string Federation::ContentOf(const std::string& file) const {
  const Result<GeneratorFile> read = GeneratorFile::Read(file);
  if (!read.ok()) return read.error().message;
  const GeneratorContent& content = read->content();
  const auto* parameters = reinterpret_cast<const std::uint8_t*>(content.parameters.data());
  Sha256Hasher hasher;
  hasher.Update(content.state.dump());
  hasher.Update(ByteView(parameters, content.parameters.size() * sizeof(float)));
  return ToHex(hasher.Finish());
}

std::string Federation::Logs() const {
  std::string logs;
  for (const auto& [name, process] : processes_) {
    logs += fmt::format("\n==== {}\n{}", name, ReadText(process.output_file));
  }
  return logs;
}

}  // namespace synod::testing
