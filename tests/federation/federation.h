// A whole federation for tests: kits, tables and real processes on loopback, each of which can be killed and started
// again. Workers repeat (tests/programs/test_worker), so that two federations with one seed give the same file content.
//
// The programs are the tests' own: test_coordinator and test_site, each with test_worker.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/consortium/make_kits.h"
#include "common/core/canonical_json.h"
#include "common/core/child_process.h"
#include "tests/integration/program.h"

namespace synod::testing {

struct FederationOptions {
  std::vector<std::string> sites = {"site-a", "site-b", "site-c"};
  std::uint64_t seed = 1;  // of the streams of every worker
  unsigned rounds = 12;    // queries of the run
  double epsilon = 3.0;
  double lifetime_epsilon = 50.0;  // of each site's data set
  std::string approval = "automatic";
  double deadline_seconds = 60.0;
  std::size_t rows = 200;  // of each site's table
  std::string aggregation = "none";
  unsigned quorum = 0;        // 0: the specification's default
  double slot_seconds = 0.0;  // answers leave at once
  std::string family = "independent_columns";
  std::string model_options;  // lines of [model]; independent_columns without any: `rounds`
  std::uint64_t units = 900;  // the run's public statement
  // Records of the caller's own: the text of a schema, and each site's file. Empty: two columns that are made up.
  std::string schema;
  std::map<std::string, std::string> tables;
  std::int64_t consortium_days = 0;  // its age: certificates of the past need a root of the past
  bool installed = false;            // synod-coordinator and synod-site themselves, whose workers do not repeat
};

class Federation {
 public:
  static constexpr double kPatienceSeconds = 60.0;
  static constexpr const char* kCoordinator = "coordinator";

  // Makes everything and starts nothing.
  explicit Federation(FederationOptions options = {});
  ~Federation();
  Federation(const Federation&) = delete;
  Federation& operator=(const Federation&) = delete;

  const std::string& folder() const { return folder_; }
  const Kits& kits() const { return kits_; }
  const FederationOptions& options() const { return options_; }
  std::string address() const;
  std::uint16_t port() const { return port_; }
  std::string kit_of(const std::string& name) const;  // of a site, or kCoordinator
  std::string run_file() const { return folder_ + "/run.toml"; }
  std::string schema_file() const { return folder_ + "/schema.toml"; }
  std::string table_of(const std::string& site) const { return kit_of(site) + "/records.csv"; }

  // `arguments` are those of the test program, such as {"--kill-at", "site_after_charge", "--kill-marker", FILE};
  // those of its worker go behind "--worker-argument=".
  void StartAll();
  void Start(const std::string& name, const std::vector<std::string>& arguments = {},
             const std::vector<std::string>& environment = {});
  // One more member of the consortium that no run asks for: makes its kit, which Start takes like the others.
  std::string AddSite(const std::string& name);
  std::string AddMember(Role role, const std::string& name);  // its kit
  void Kill(const std::string& name);                         // SIGKILL
  int Terminate(const std::string& name);  // SIGTERM; its exit code, -1 if it had to be killed after ten seconds
  void Signal(const std::string& name, int signal);
  bool Running(const std::string& name);
  std::int64_t ProcessId(const std::string& name) const;
  // Starts again whatever ended, without the arguments that it was started with. The names of what had ended.
  std::vector<std::string> Revive();

  // The tool with the operator's kit.
  ProgramRun Synod(std::vector<std::string> arguments) const;
  // The site's own tool, and the data of what it says as JSON (empty where it fails).
  ProgramRun SiteTool(const std::string& site, std::vector<std::string> arguments) const;
  Json SiteView(const std::string& site, std::vector<std::string> arguments) const;
  // The entry of `synod site list`; empty where there is none.
  Json SiteLine(const std::string& site) const;
  std::string LogOf(const std::string& name) const;
  // The id of a new run of run_file(); empty if it was refused.
  std::string Submit() const;
  // The data of `synod run show`; null while the coordinator does not answer.
  Json Show(const std::string& run) const;
  std::string StateOf(const std::string& run) const;
  // Whether the run reached one of `states` within `seconds`; starts what ended again meanwhile if `revive`.
  bool WaitFor(const std::string& run, const std::vector<std::string>& states, bool revive = false,
               double seconds = kPatienceSeconds);
  // Fetches the run's file and gives its path.
  std::string Fetch(const std::string& run) const;
  // Waits until a published run has every signature, starting again what ended, then fetches its file and verifies it
  // with the root alone. The file's path.
  std::string FetchVerified(const std::string& run);
  // Every site's ledger verifies.
  void ExpectWholeLedgers() const;
  // SHA-256 of what was trained: equal for equal trainings, whatever keys the sites have.
  std::string ContentOf(const std::string& file) const;
  // What every process wrote, for the message of a failed test.
  std::string Logs() const;

 private:
  struct Process {
    std::optional<ChildProcess> child;
    std::string output_file;
  };
  ChildProcess::Settings InstalledProgram(const std::string& name) const;
  ChildProcess::Settings TestProgram(const std::string& name) const;
  void WriteRun() const;
  std::string SchemaText() const;
  std::string RecordsOf(const std::string& site) const;
  void WriteSite(const std::string& site) const;

  FederationOptions options_;
  std::string folder_;
  std::uint16_t port_ = 0;
  Kits kits_;
  std::map<std::string, Process> processes_;
};

// Until `holds` or `seconds` are over.
bool Eventually(const std::function<bool()>& holds, double seconds = Federation::kPatienceSeconds);

}  // namespace synod::testing
