#include "site_agent/dataset_register.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/crypto/secret_random.h"
#include "site_agent/sql_row_reader.h"

namespace synod {
namespace {

constexpr std::string_view kTable =
    "CREATE TABLE IF NOT EXISTS datasets (name TEXT PRIMARY KEY, id BLOB NOT NULL UNIQUE, source TEXT NOT NULL UNIQUE, "
    "unit INTEGER NOT NULL, epsilon REAL NOT NULL, delta REAL NOT NULL, rdp_order REAL NOT NULL, rdp REAL NOT NULL, "
    "registered_unix INTEGER NOT NULL)";
constexpr std::string_view kSelect =
    "SELECT name, id, source, unit, epsilon, delta, rdp_order, rdp, registered_unix FROM datasets ORDER BY name";
constexpr std::string_view kInsert = "INSERT INTO datasets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

Result<RegisteredDataset> DatasetFromRow(const SqlRow& row) {
  SqlRowReader reader(row);
  RegisteredDataset dataset;
  dataset.name = reader.Text();
  dataset.id = reader.Id<DatasetId>();
  dataset.source = reader.Text();
  dataset.unit = reader.Integer() == 0 ? PrivacyUnit::kRecord : PrivacyUnit::kSubject;
  dataset.budget.epsilon = reader.Real();
  dataset.budget.delta = reader.Real();
  dataset.budget.order = reader.Real();
  dataset.budget.rdp = reader.Real();
  dataset.registered_unix = reader.Integer();
  SYNOD_RETURN_IF_ERROR(reader.Finish("a registered data set"));
  const Status budget = dataset.budget.Check();
  if (!budget.ok()) return budget.error().Within(fmt::format("data set \"{}\"", dataset.name));
  return dataset;
}

DatasetId RandomDatasetId() {
  DatasetId id;
  SecretRandom::FromOperatingSystem().Fill(id.bytes);
  return id;
}

}  // namespace

Result<DatasetRegister> DatasetRegister::Open(Database& database, const Clock& clock) {
  DatasetRegister datasets(database, clock);
  SYNOD_RETURN_IF_ERROR(database.Execute(kTable));
  SYNOD_ASSIGN_OR_RETURN(const std::vector<SqlRow> rows, database.Query(kSelect));
  for (const SqlRow& row : rows) {
    SYNOD_ASSIGN_OR_RETURN(RegisteredDataset dataset, DatasetFromRow(row));
    datasets.registered_.emplace(dataset.name, std::move(dataset));
  }
  return datasets;
}

Status DatasetRegister::Insert(const RegisteredDataset& dataset) {
  SYNOD_RETURN_IF_ERROR(database_->Execute(
      kInsert, {dataset.name, Bytes(dataset.id.bytes.begin(), dataset.id.bytes.end()), dataset.source,
                std::int64_t{dataset.unit == PrivacyUnit::kRecord ? 0 : 1}, dataset.budget.epsilon,
                dataset.budget.delta, dataset.budget.order, dataset.budget.rdp, dataset.registered_unix}));
  registered_.emplace(dataset.name, dataset);
  return {};
}

std::optional<std::string> DatasetRegister::ProblemOf(const RegisteredDataset& dataset, const DatasetSettings& settings,
                                                      const SitePolicy& policy) const {
  if (dataset.source != settings.file) {
    return fmt::format(
        "site.toml names another file than the one it was registered with; if that file holds the same records, or is "
        "to share their account, run: synod-site dataset accept {}",
        dataset.name);
  }
  const std::optional<LifetimeRule> rule = policy.Lifetime(dataset.name);
  if (!rule || rule->epsilon != dataset.budget.epsilon || rule->delta != dataset.budget.delta) {
    return fmt::format("its life-time budget was fixed at epsilon {}, delta {} when it was registered; policy.toml {}",
                       dataset.budget.epsilon, dataset.budget.delta, rule ? "states another one" : "states none");
  }
  // Without a rule the policy names no unit, and refuses all runs anyway.
  for (const AllowRule& allow : policy.allow()) {
    if (allow.dataset == dataset.name && allow.unit != dataset.unit) {
      return fmt::format("its privacy unit was fixed as \"{}\" when it was registered", PrivacyUnitName(dataset.unit));
    }
  }
  return std::nullopt;
}

Result<bool> DatasetRegister::Register(const DatasetSettings& settings, const SitePolicy& policy, NewOnes new_ones) {
  for (const auto& [name, other] : registered_) {
    if (other.source != settings.file) continue;
    problems_[settings.name] = fmt::format(
        "its file is registered as \"{}\"; a second name over the same records would have a second budget", name);
    return false;
  }
  const std::optional<LifetimeRule> rule = policy.Lifetime(settings.name);
  if (!rule) {
    problems_[settings.name] = "policy.toml states no life-time budget for it ([lifetime] epsilon, delta)";
    return false;
  }
  const bool has_rule = std::any_of(policy.allow().begin(), policy.allow().end(),
                                    [&](const AllowRule& allow) { return allow.dataset == settings.name; });
  if (!has_rule) {
    problems_[settings.name] = "policy.toml has no [[allow]] for it, so that its privacy unit is not stated yet";
    return false;
  }
  if (new_ones == NewOnes::kNote) {
    problems_[settings.name] = "it is not registered yet: the daemon does that when it starts or is told to reload";
    return false;
  }
  SYNOD_ASSIGN_OR_RETURN(const LifetimeBudget budget, LifetimeBudget::Choose(rule->epsilon, rule->delta));
  const PrivacyUnit unit = policy.UnitOf(settings.name);
  SYNOD_RETURN_IF_ERROR(Insert({RandomDatasetId(), settings.name, settings.file, unit, budget, clock_->UnixSeconds()}));
  return true;
}

Result<std::vector<std::string>> DatasetRegister::Reconcile(const SiteConfiguration& configuration,
                                                            const SitePolicy& policy, NewOnes new_ones) {
  problems_.clear();
  std::vector<std::string> added;
  for (const DatasetSettings& settings : configuration.datasets) {
    if (const RegisteredDataset* known = Find(settings.name)) {
      if (std::optional<std::string> problem = ProblemOf(*known, settings, policy)) {
        problems_[settings.name] = std::move(*problem);
      }
      continue;
    }
    SYNOD_ASSIGN_OR_RETURN(const bool registered, Register(settings, policy, new_ones));
    if (registered) added.push_back(settings.name);
  }
  for (const auto& [name, dataset] : registered_) {
    if (configuration.Named(name) == nullptr) problems_[name] = "site.toml does not name it";
  }
  return added;
}

Status DatasetRegister::AcceptSource(const std::string& name, const SiteConfiguration& configuration) {
  const auto found = registered_.find(name);
  if (found == registered_.end()) return BadInput(fmt::format("no data set is registered as \"{}\"", name));
  const DatasetSettings* settings = configuration.Named(name);
  if (settings == nullptr) return BadInput(fmt::format("site.toml names no data set \"{}\"", name));
  if (settings->file == found->second.source) return BadInput("the data set is bound to this file already");
  for (const auto& [other_name, other] : registered_) {
    if (other.source == settings->file) {
      return Refused(fmt::format("the file is registered as \"{}\" and stays in that account", other_name));
    }
  }
  SYNOD_RETURN_IF_ERROR(database_->Execute("UPDATE datasets SET source = ? WHERE name = ?", {settings->file, name}));
  found->second.source = settings->file;
  return {};
}

const RegisteredDataset* DatasetRegister::Find(std::string_view name) const {
  const auto found = registered_.find(std::string(name));
  return found == registered_.end() ? nullptr : &found->second;
}

Result<RegisteredDataset> DatasetRegister::Usable(std::string_view name) const {
  if (const auto problem = problems_.find(std::string(name)); problem != problems_.end()) {
    return Refused(fmt::format("data set \"{}\": {}", name, problem->second));
  }
  const RegisteredDataset* dataset = Find(name);
  if (dataset == nullptr) return BadInput(fmt::format("no data set is registered as \"{}\"", name));
  return *dataset;
}

}  // namespace synod
