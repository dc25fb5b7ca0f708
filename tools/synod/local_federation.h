// A whole federation on this machine, for the demo: a consortium with its keys and certificates, one synod-coordinator
// and one synod-site a table as real processes on loopback, each with a kit of its own. The programs are those beside
// this one; nothing of them is linked here.
//
//   FOLDER/consortium/{root,coordinator-kit,operator-kit}   FOLDER/SITE/{trust,local,state,log,records.csv}
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/consortium/make_kits.h"
#include "common/core/child_process.h"
#include "common/core/result.h"
#include "common/data/table.h"
#include "models/run_plan.h"

namespace synod {

struct LocalSite {
  std::string name;
  const Table* records = nullptr;
};

struct LocalFederationSettings {
  std::string folder;  // what a former federation left there is removed
  std::vector<LocalSite> sites;
  // Whose policies are written: this plan fits once into the life-time budget of each data set, and not twice.
  const ResolvedRun* run = nullptr;
  unsigned threads = 1;  // of each worker
};

class LocalFederation {
 public:
  // Makes the kits, the sites' tables and policies, and starts the processes. The coordinator listens; sites may
  // still be connecting.
  static Result<LocalFederation> Start(const LocalFederationSettings& settings);
  LocalFederation(LocalFederation&&) = default;
  ~LocalFederation();

  const std::string& operator_kit() const { return kits_.first_operator; }
  std::string root_certificate() const;
  const std::string& address() const { return address_; }
  double lifetime_epsilon() const { return lifetime_epsilon_; }
  const Kits& kits() const { return kits_; }

  // The first process that ended though nobody stopped it, with the end of what it wrote.
  Status CheckRunning();
  // SIGTERM to all, sites first; kills what has not ended after ten seconds and says so.
  Status Stop();

 private:
  LocalFederation() = default;
  Status WaitForPort(std::uint16_t port);
  struct Process {
    std::string name;
    std::string output_file;
    ChildProcess child;
  };

  Kits kits_;
  std::string address_;
  double lifetime_epsilon_ = 0.0;
  std::vector<Process> processes_;  // the coordinator first
};

// The least life-time epsilon, in steps of a twentieth above the run's own, in whose filter the plan fits. Filters
// compose over runs at one Renyi order and need more than the epsilon of one run.
Result<double> LifetimeEpsilonForOneRun(const Plan& plan);

}  // namespace synod
