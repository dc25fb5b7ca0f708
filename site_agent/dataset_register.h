// The data sets of a site, as registered: what each has spent over its life hangs on its registration, so a data set
// is never registered twice over the same records and never silently points to others.
//
// A data set has a random 128-bit id (never a digest of its content), bound to its name, the path of its records, its
// privacy unit and its life-time budget. If site.toml names another path under a known name, the data set cannot be
// used until the administrator accepts that path (AcceptSource; what was spent stays spent); a second name over known
// records is not registered at all; a changed life-time budget or unit in policy.toml makes the data set unusable until
// it is changed back. The register never opens the records. Threads: one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/core/strong_id.h"
#include "common/privacy/lifetime_filter.h"
#include "common/store/database.h"
#include "site_agent/site_configuration.h"
#include "site_agent/site_policy.h"

namespace synod {

struct RegisteredDataset {
  DatasetId id;
  std::string name;
  std::string source;  // path of the records
  PrivacyUnit unit = PrivacyUnit::kRecord;
  LifetimeBudget budget;
  std::int64_t registered_unix = 0;
};

class DatasetRegister {
 public:
  // Makes its table where it is missing; reads what is registered.
  static Result<DatasetRegister> Open(Database& database, const Clock& clock);

  // What is done with a data set that is not registered: the daemon registers it, a command notes it as a problem.
  enum class NewOnes { kRegister, kNote };

  // Brings configuration and policy together with what is registered: registers what is new, notes what does not fit.
  // Returns the names that were registered now.
  Result<std::vector<std::string>> Reconcile(const SiteConfiguration& configuration, const SitePolicy& policy,
                                             NewOnes new_ones = NewOnes::kRegister);

  // Binds a registered data set to the path that site.toml names now. Its id and its account stay.
  Status AcceptSource(const std::string& name, const SiteConfiguration& configuration);

  const std::map<std::string, RegisteredDataset>& registered() const { return registered_; }
  const RegisteredDataset* Find(std::string_view name) const;
  // Why a data set cannot be used, by name: configured but not registered, or registered otherwise. After Reconcile.
  const std::map<std::string, std::string>& problems() const { return problems_; }
  // Refused with the problem; BadInput for a name that is not registered.
  Result<RegisteredDataset> Usable(std::string_view name) const;

 private:
  DatasetRegister(Database& database, const Clock& clock) : database_(&database), clock_(&clock) {}
  Status Insert(const RegisteredDataset& dataset);
  std::optional<std::string> ProblemOf(const RegisteredDataset& dataset, const DatasetSettings& settings,
                                       const SitePolicy& policy) const;
  Result<bool> Register(const DatasetSettings& settings, const SitePolicy& policy, NewOnes new_ones);

  Database* database_;
  const Clock* clock_;
  std::map<std::string, RegisteredDataset> registered_;
  std::map<std::string, std::string> problems_;
};

}  // namespace synod
