#include "tools/synod/local_federation.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <thread>

#include "common/core/clock.h"
#include "common/core/file.h"
#include "common/data/csv_writer.h"
#include "common/privacy/lifetime_filter.h"
#include "common/privacy/plan_readings.h"
#include "tools/synod/program_files.h"

namespace synod {
namespace {

namespace fs = std::filesystem;

constexpr double kStartSeconds = 60.0;
constexpr double kStopSeconds = 10.0;
constexpr std::string_view kMark = "federation.synod-demo";  // in a folder that may be removed

// A port that was free a moment ago.
Result<std::uint16_t> FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Failed("cannot open a socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool found = bind(fd, generic, length) == 0 && getsockname(fd, generic, &length) == 0;
  close(fd);
  if (!found) return Failed("there is no free port on 127.0.0.1");
  return ntohs(address.sin_port);
}

// Whether somebody accepts connections there.
bool Listens(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const bool connected = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return connected;
}

// Only a folder that a demo made is removed.
Status MakeFresh(const std::string& folder) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    if (!fs::exists(fs::path(folder) / kMark, error)) {
      return BadInput(fmt::format("{} is not empty and was not made by a demo", folder), "name another folder");
    }
    fs::remove_all(folder, error);
    if (error) return Failed(fmt::format("cannot remove {}: {}", folder, error.message()));
  }
  fs::create_directories(folder, error);
  if (error) return Failed(fmt::format("cannot create {}: {}", folder, error.message()));
  fs::permissions(folder, fs::perms::owner_all, error);
  return WriteFileAtomically((fs::path(folder) / kMark).string(), {});
}

Status WriteText(const fs::path& path, const std::string& text) {
  return WriteFileAtomically(path.string(), {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::string ColumnList(const Schema& schema) {
  std::string list;
  for (const Column& column : schema.columns()) {
    if (!list.empty()) list += ", ";
    list.append("\"").append(column.name).append("\"");
  }
  return list;
}

// What a hospital would allow: this family on exactly these columns, within this budget, and nothing else.
std::string PolicyText(const ResolvedRun& run, double lifetime_epsilon, double own_share_epsilon) {
  const PlanFacts& facts = run.run.plan->facts();
  return fmt::format(
      "[[lifetime]]\ndataset = \"records\"\nepsilon = {:.4f}\ndelta = {:g}\n\n"
      "[[allow]]\ndataset = \"records\"\nfamilies = [\"{}\"]\ncolumns = [{}]\noperators = [\"operator\"]\n"
      "max_epsilon = {:g}\nmax_own_share_epsilon = {:.2f}\nmax_delta = {:g}\nmin_known_peers = {}\nunit = "
      "\"{}\"\napproval = \"automatic\"\n",
      lifetime_epsilon, facts.delta, facts.model_family, ColumnList(*run.run.schema), facts.epsilon_target,
      own_share_epsilon, facts.delta, facts.roster.size() - 1, PrivacyUnitName(facts.unit));
}

// What a site's own noise alone proves, rounded up: masked sums count the noise of several sites.
Result<double> OwnShareEpsilon(const Plan& plan) {
  SYNOD_ASSIGN_OR_RETURN(const std::vector<ReadingEpsilons> readings, ComputeReadings(plan));
  double epsilon = 0.0;
  for (const ReadingEpsilons& reading : readings) epsilon = std::max(epsilon, reading.by_sites[0].upper);
  return std::ceil(100.0 * epsilon) / 100.0;
}

std::string SiteText(const Schema& schema, const LocalFederationSettings& settings) {
  return fmt::format(
      "[[dataset]]\nname = \"records\"\nschema = \"{}\"\nfile = \"records.csv\"\n\n"
      "[compute]\nthreads = {}\n\n[log]\nfile = \"log/site.log\"\n",
      schema.name(), settings.threads);
}

std::string LastLines(const std::string& file) {
  const Result<std::string> text = ReadFile(file, 64u << 20);
  if (!text.ok() || text->empty()) return "it wrote nothing";
  constexpr std::size_t kShown = 600;
  return text->size() > kShown ? text->substr(text->size() - kShown) : *text;
}

}  // namespace

Result<double> LifetimeEpsilonForOneRun(const Plan& plan) {
  double epsilon = plan.facts().epsilon_target;
  for (int step = 0; step < 100; ++step) {
    epsilon *= 1.05;
    SYNOD_ASSIGN_OR_RETURN(const LifetimeBudget budget, LifetimeBudget::Choose(epsilon, plan.facts().delta));
    SYNOD_ASSIGN_OR_RETURN(const LifetimeCost cost, CostOfPlan(plan, budget.order));
    if (LifetimeFilter(budget).Check(cost).ok()) return epsilon;
  }
  return Failed("no life-time budget near the run's epsilon holds its plan");
}

Result<LocalFederation> LocalFederation::Start(const LocalFederationSettings& settings) {
  LocalFederation federation;
  SYNOD_RETURN_IF_ERROR(MakeFresh(settings.folder));
  SYNOD_ASSIGN_OR_RETURN(const std::uint16_t port, FreePort());
  federation.address_ = fmt::format("127.0.0.1:{}", port);
  std::vector<std::string> names;
  for (const LocalSite& site : settings.sites) names.push_back(site.name);
  ConsortiumOptions options;
  options.name = "demo";
  options.coordinator_address = federation.address_;
  options.now_unix = SystemClock().UnixSeconds();
  SYNOD_ASSIGN_OR_RETURN(federation.kits_, MakeKits(settings.folder, options, names));
  SYNOD_ASSIGN_OR_RETURN(federation.lifetime_epsilon_, LifetimeEpsilonForOneRun(*settings.run->run.plan));

  SYNOD_ASSIGN_OR_RETURN(const double own_share, OwnShareEpsilon(*settings.run->run.plan));

  const fs::path coordinator(federation.kits_.coordinator);
  SYNOD_RETURN_IF_ERROR(WriteText(
      coordinator / "local" / "coordinator.toml",
      fmt::format("[listen]\naddress = \"{}\"\n\n[log]\nfile = \"log/coordinator.log\"\n", federation.address_)));
  for (const LocalSite& site : settings.sites) {
    const fs::path kit(federation.kits_.sites.at(site.name));
    SYNOD_RETURN_IF_ERROR(WriteTable((kit / "records.csv").string(), *site.records));
    SYNOD_RETURN_IF_ERROR(
        WriteText(kit / "local" / "policy.toml", PolicyText(*settings.run, federation.lifetime_epsilon_, own_share)));
    SYNOD_RETURN_IF_ERROR(WriteText(kit / "local" / "site.toml", SiteText(*settings.run->run.schema, settings)));
  }

  const auto start = [&](const std::string& name, const std::string& program, const std::string& kit) -> Status {
    const std::string output = (fs::path(kit) / "log" / "output.txt").string();
    SYNOD_ASSIGN_OR_RETURN(ChildProcess child,
                           ChildProcess::Start({ProgramBesideThis(program), {"run", "--kit", kit}, output, {}}));
    federation.processes_.push_back({name, output, std::move(child)});
    return {};
  };
  SYNOD_RETURN_IF_ERROR(start("coordinator", "synod-coordinator", federation.kits_.coordinator));
  SYNOD_RETURN_IF_ERROR(federation.WaitForPort(port));
  for (const LocalSite& site : settings.sites) {
    SYNOD_RETURN_IF_ERROR(start(site.name, "synod-site", federation.kits_.sites.at(site.name)));
  }
  return federation;
}

LocalFederation::~LocalFederation() {
  static_cast<void>(Stop());
}

std::string LocalFederation::root_certificate() const {
  return (fs::path(kits_.first_operator) / "trust" / "ca.pem").string();
}

Status LocalFederation::WaitForPort(std::uint16_t port) {
  const SystemClock clock;
  const double end = clock.MonotonicSeconds() + kStartSeconds;
  while (!Listens(port)) {
    SYNOD_RETURN_IF_ERROR(CheckRunning());
    if (clock.MonotonicSeconds() > end) {
      return Error{ErrorCode::kTimeout, fmt::format("the coordinator does not listen after {:g} s", kStartSeconds), ""};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return {};
}

Status LocalFederation::CheckRunning() {
  for (Process& process : processes_) {
    if (process.child.Running()) continue;
    return Failed(fmt::format("{} ended with {}: {}", process.name, process.child.exit_code().value_or(-1),
                              LastLines(process.output_file)));
  }
  return {};
}

Status LocalFederation::Stop() {
  std::string late;
  std::reverse(processes_.begin(), processes_.end());
  for (Process& process : processes_) process.child.Signal(SIGTERM);
  for (Process& process : processes_) {
    if (!process.child.WaitFor(kStopSeconds)) late.append(late.empty() ? "" : ", ").append(process.name);
  }
  processes_.clear();
  if (late.empty()) return {};
  return Failed(fmt::format("did not end within {:g} s of SIGTERM and were killed: {}", kStopSeconds, late));
}

}  // namespace synod
