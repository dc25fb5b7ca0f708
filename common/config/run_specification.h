// What a data scientist asks for: the run file (configs/runs/*.toml), checked and with its defaults filled in.
//
//   [run]      name, seed = 0 (public randomness only), sites = 1, quorum, deadline_seconds = 600, slot_seconds = 0.05,
//              aggregation = "secure" from three sites up, "none" below (what a simulation does with it: simulate.cpp)
//   [schema]   file
//   [data]     train = "train.csv"
//   [model]    family, and what the family itself reads
//   [privacy]  epsilon, delta, units (these three have no default), unit = "record", relation = "add-remove",
//              max_rows_per_subject = 16, max_sites_per_subject = 1, max_colluding_sites, clip = 1.0
//   [budget]   transforms = 0.1, training = 0.9, counting = 0, quality = 0: shares of the privacy budget; without the
//              whole section a family chooses the share of its transforms by columns, units and noise
//
// Paths are relative to the data folder of whoever runs it. Unknown keys, wrong types, NaN and numbers out of range are
// errors with file, line and key; [model] is left to the family, which must call model.Finish().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/core/result.h"
#include "common/data/toml_section.h"
#include "common/privacy/plan.h"
#include "common/privacy/privacy_event.h"

namespace synod {

// What stands on the command line instead of the file; checked by the same rules.
struct RunOverrides {
  std::optional<double> epsilon;
  std::optional<std::int64_t> seed;
  std::optional<std::int64_t> sites;  // quorum and max_colluding_sites that the file states still hold
};

// Shares of the privacy budget by what it is spent on; they sum to 1.
struct BudgetShares {
  double transforms = 0.1;
  double training = 0.9;
  double counting = 0.0;
  double quality = 0.0;
  bool stated = false;  // the file has a [budget]
};

struct PrivacyTarget {
  double epsilon = 0.0;
  double delta = 0.0;
  std::uint64_t units = 0;     // public statement of how many privacy units there are, over all sites
  std::string subject_column;  // empty: the unit is a record
  Adjacency relation = Adjacency::kAddRemove;
  std::uint32_t max_rows_per_subject = 16;  // public cap; only where the unit is a subject
  unsigned max_sites_per_subject = 1;
  unsigned max_colluding_sites = 0;  // c; default 1, or 0 where there is one site
  double clip = 1.0;
};

struct RunSpecification {
  static constexpr double kMaxEpsilon = 1000.0;
  static constexpr double kWarnEpsilon = 20.0;
  static constexpr double kMaxDelta = 1e-2;
  static constexpr std::uint32_t kMaxSites = 256;

  explicit RunSpecification(TomlSection model_section) : model(std::move(model_section)) {}

  std::string file;  // for the errors of whoever reads `model`
  std::string name;
  std::uint64_t seed = 0;  // never reaches noise or sampling
  std::uint32_t sites = 1;
  std::uint32_t quorum = 1;
  Aggregation aggregation = Aggregation::kNone;  // of a federation: secure or none
  double deadline_seconds = 600.0;
  double slot_seconds = 0.05;
  std::string schema_file;
  std::string train_file;
  std::string family;
  TomlSection model;
  PrivacyTarget privacy;
  BudgetShares budget;
  std::vector<std::string> warnings;  // sentences that the user must see

  // h = quorum - c: the noise shares that count. At least 1.
  std::uint32_t honest_shares() const { return quorum - privacy.max_colluding_sites; }

  static Result<RunSpecification> FromToml(std::string_view text, const std::string& file,
                                           const RunOverrides& overrides = {});
  static Result<RunSpecification> FromFile(const std::string& path, const RunOverrides& overrides = {});
};

}  // namespace synod
