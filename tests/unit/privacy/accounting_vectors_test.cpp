// The accountants against third-party results (Google dp_accounting, Opacus, Microsoft PRV accountant, IBM, Google
// federated).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "common/core/canonical_json.h"
#include "common/core/file.h"
#include "common/privacy/epsilon.h"
#include "common/privacy/pld_accountant.h"
#include "common/privacy/rdp_accountant.h"
#include "tests/support/shared_data.h"

namespace synod {
namespace {

struct VectorCase {
  MechanismUses uses;
  Adjacency adjacency = Adjacency::kAddRemove;
  unsigned sites = 1;
  double delta = 0.0;
  double band = 2e-3;  // relative, above pld_epsilon
};

Json LoadVectors(const std::string& path) {
  const Result<std::string> text = ReadFile(path, std::size_t{16} << 20);
  if (!text.ok()) return Json::array();
  Result<Json> parsed = ParseJson(*text, std::size_t{16} << 20);
  return parsed.ok() ? *parsed : Json::array();
}

template <typename Number>
Number At(const Json& entry, const char* key) {
  return entry.at(key).get<Number>();
}

MechanismUse PoissonUse(const Json& entry, const char* count) {
  return {GaussianMechanism{At<double>(entry, "q"), At<double>(entry, "sigma")}, At<std::uint64_t>(entry, count)};
}

Mechanism LedgerMechanism(const Json& line) {
  const std::string type = line.at("type");
  if (type == "dpsgd") return GaussianMechanism{At<double>(line, "q"), At<double>(line, "sigma")};
  if (type == "gaussian") return GaussianMechanism{1.0, At<double>(line, "sigma")};
  if (type == "laplace") return LaplaceMechanism{At<double>(line, "b")};
  if (type == "exponential") return StatedGuarantee{At<double>(line, "epsilon"), 0.0};
  if (type == "approx_dp") return StatedGuarantee{At<double>(line, "epsilon"), At<double>(line, "delta")};
  return GeometricMechanism{At<double>(line, "a"), At<std::uint64_t>(line, "sens")};
}

// Their clip in grid units is `clip`, and the deviation of one party's noise `deviation`.
Mechanism Rounded(const Json& entry, bool skellam, double clip, double deviation) {
  const auto dimension = At<std::uint64_t>(entry, "dim");
  const double norm = RandomlyRoundedNorm(clip, dimension, At<double>(entry, "beta"));
  const auto parties = At<std::uint64_t>(entry, "parties");
  if (!skellam) return DiscreteGaussianSum{parties, deviation * deviation, norm, dimension};
  return SkellamSum{static_cast<double>(parties) * deviation * deviation, norm, dimension};
}

Mechanism SingleMechanism(const Json& entry, const std::string& mechanism) {
  if (mechanism == "wor_gaussian") {  // theirs is in terms of how far a replacement moves the sum
    return FixedBatchGaussianMechanism{At<std::uint64_t>(entry, "n"), At<std::uint64_t>(entry, "batch"),
                                       2.0 * At<double>(entry, "sigma")};
  }
  if (mechanism == "truncated_poisson_gaussian") {
    return TruncatedGaussianMechanism{At<double>(entry, "q"), At<double>(entry, "sigma"), At<std::uint64_t>(entry, "n"),
                                      At<std::uint64_t>(entry, "max_batch")};
  }
  if (mechanism == "discrete_gaussian_sum") {
    const auto sigma = At<double>(entry, "sigma_local");
    return DiscreteGaussianSum{At<std::uint64_t>(entry, "parties"), sigma * sigma, At<double>(entry, "sensitivity"), 1};
  }
  if (mechanism == "skellam") return SkellamSum{At<double>(entry, "mu_total"), At<double>(entry, "sensitivity"), 1};
  if (mechanism == "distributed_discrete_gaussian_rounded") {
    const double scale = 1.0 / At<double>(entry, "gamma");
    return Rounded(entry, false, At<double>(entry, "l2_clip") * scale, At<double>(entry, "local_stddev") * scale);
  }
  const auto scale = At<double>(entry, "scale");
  return Rounded(entry, true, At<double>(entry, "l2_clip") * scale, At<double>(entry, "local_stddev") * scale);
}

VectorCase CaseOf(const Json& entry) {
  VectorCase result;
  result.delta = At<double>(entry, "delta");
  const std::string adjacency = entry.at("adjacency");
  if (adjacency == "zero_out") result.adjacency = Adjacency::kZeroOut;
  if (adjacency == "replace_one") result.adjacency = Adjacency::kReplaceOne;
  const std::string mechanism = entry.at("mechanism");
  if (mechanism == "poisson_subsampled_gaussian" || mechanism == "gaussian") {
    result.uses = {PoissonUse(entry, "steps")};
  } else if (mechanism == "heterogeneous_poisson_gaussian") {
    for (const Json& segment : entry.at("segments")) result.uses.push_back(PoissonUse(segment, "steps"));
  } else if (mechanism == "mixture_of_gaussians_group") {
    result.uses = {PoissonUse(entry, "steps")};
    result.sites = At<unsigned>(entry, "records_per_patient");
  } else if (mechanism == "mixed_ledger") {
    for (const Json& line : entry.at("ledger")) {
      result.uses.push_back({LedgerMechanism(line), At<std::uint64_t>(line, "count")});
    }
  } else if (mechanism == "tree_aggregation") {
    result.uses = {{TreeGaussianMechanism{At<double>(entry, "sigma"), At<std::uint64_t>(entry, "steps_per_epoch")},
                    At<std::uint64_t>(entry, "epochs")}};
  } else {
    result.uses = {{SingleMechanism(entry, mechanism), At<std::uint64_t>(entry, "steps")}};
  }
  const bool plain_poisson = result.adjacency != Adjacency::kReplaceOne && result.sites == 1 &&
                             std::holds_alternative<GaussianMechanism>(result.uses.front().mechanism) &&
                             mechanism != "mixed_ledger";
  result.band = plain_poisson ? 2e-3 : 5e-3;
  return result;
}

bool HasNumber(const Json& entry, const char* key) {
  return entry.contains(key) && entry.at(key).is_number();
}

// What one kind of vector shows at worst.
struct KindSummary {
  int cases = 0;
  double above_pld = -1.0;  // relative; below 0: ours is tighter in every case
  double rdp_of_order = 0.0;
  double rdp_epsilon = -1.0;  // relative, of the best order
};

std::string KindOf(const Json& entry) {
  return entry.at("mechanism").get<std::string>() + ", " + entry.at("adjacency").get<std::string>();
}

void CompareEpsilon(const Json& entry, const VectorCase& vector_case, KindSummary* summary) {
  const Result<EpsilonBounds> ours =
      ComputeEpsilon(vector_case.uses, vector_case.delta, vector_case.adjacency, vector_case.sites);
  ASSERT_TRUE(ours.ok()) << ours.error().message;
  EXPECT_LE(ours->upper, ours->rdp);
  EXPECT_LE(ours->lower, ours->upper);
  if (HasLossDistributions(vector_case.uses)) {
    EXPECT_GE(ours->lower, 0.97 * ours->upper - 1e-4);
  }
  if (HasNumber(entry, "pld_epsilon")) {
    const double pld = entry.at("pld_epsilon");
    EXPECT_LE(ours->upper, pld * (1.0 + vector_case.band) + 1e-4);
    summary->above_pld = std::max(summary->above_pld, ours->upper / pld - 1.0);
  }
  if (HasNumber(entry, "best_lower")) {
    EXPECT_GE(ours->upper, entry.at("best_lower").get<double>());
  }
  if (HasNumber(entry, "best_upper") && !entry.contains("numerics")) {
    EXPECT_LE(ours->lower, entry.at("best_upper").get<double>());
  }
  if (!entry.contains("numerics") && entry.contains("prv") && entry.at("prv").is_object() &&
      HasNumber(entry.at("prv"), "estimate")) {
    const double estimate = entry.at("prv").at("estimate");
    EXPECT_NEAR(ours->upper, estimate, std::max(3e-4, 2e-3 * estimate));
  }
  if (HasNumber(entry, "exact_epsilon")) {
    const double exact = entry.at("exact_epsilon");
    EXPECT_NEAR(ours->upper / exact, 1.0, 1e-9);
    EXPECT_NEAR(ours->lower / exact, 1.0, 1e-9);
  }
}

void CompareRdp(const Json& entry, const VectorCase& vector_case, KindSummary* summary) {
  if (HasNumber(entry, "rdp_epsilon")) {  // their grid of orders is coarser
    const Result<RdpBound> ours =
        RdpEpsilon(vector_case.uses, vector_case.delta, vector_case.adjacency, vector_case.sites);
    ASSERT_TRUE(ours.ok());
    const double theirs = entry.at("rdp_epsilon");
    EXPECT_LE(ours->epsilon, theirs * (1.0 + 1e-6));
    summary->rdp_epsilon = std::max(summary->rdp_epsilon, ours->epsilon / theirs - 1.0);
  }
  if (HasNumber(entry, "rdp_order") && HasNumber(entry, "rdp_epsilon")) {  // at their order ours is theirs
    const double order = entry.at("rdp_order");
    const Result<double> rdp = RdpAtOrder(vector_case.uses, order, vector_case.adjacency, vector_case.sites);
    ASSERT_TRUE(rdp.ok());
    const double theirs = entry.at("rdp_epsilon");
    const double deviation = std::abs(EpsilonFromRdp(*rdp, order, vector_case.delta) / theirs - 1.0);
    EXPECT_LE(deviation, 1e-6) << "at order " << order;
    summary->rdp_of_order = std::max(summary->rdp_of_order, deviation);
  }
  if (!entry.contains("rdp_at_orders") || !entry.at("rdp_at_orders").is_object()) return;
  double uses = 0.0;
  for (const MechanismUse& use : vector_case.uses) uses += static_cast<double>(use.count);
  for (const auto& [order, value] : entry.at("rdp_at_orders").items()) {
    if (!value.is_number() || vector_case.sites > 1) continue;
    const Result<double> ours = RdpAtOrder(vector_case.uses, std::stod(order), vector_case.adjacency);
    ASSERT_TRUE(ours.ok());
    // Theirs is the logarithm of a number near 1, which leaves an absolute error of some roundoffs per use.
    const double their_roundoff = 1e-14 * uses / (std::stod(order) - 1.0);
    const auto theirs = value.get<double>();
    EXPECT_NEAR(*ours, theirs, 1e-6 * theirs + their_roundoff) << "order " << order;
    summary->rdp_of_order =
        std::max(summary->rdp_of_order, (std::abs(*ours - theirs) - their_roundoff) / std::max(theirs, 1e-300));
  }
}

TEST(AccountingVectors, EveryVectorHoldsWithinItsBand) {
  SYNOD_SHARED_OR_SKIP(path, "vectors/accounting_vectors.json");
  const Json vectors = LoadVectors(path);
  ASSERT_GE(vectors.size(), 93U);
  std::map<std::string, KindSummary> kinds;
  for (const Json& entry : vectors) {
    SCOPED_TRACE(entry.at("id").get<std::string>());
    const VectorCase vector_case = CaseOf(entry);
    KindSummary& summary = kinds[KindOf(entry)];
    ++summary.cases;
    CompareEpsilon(entry, vector_case, &summary);
    CompareRdp(entry, vector_case, &summary);
  }
  fmt::print("{:<62} {:>5} {:>16} {:>14} {:>16}\n", "kind", "cases", "upper/pld - 1", "RDP per order",
             "best RDP eps - 1");
  for (const auto& [kind, summary] : kinds) {
    fmt::print("{:<62} {:>5} {:>16} {:>14.1e} {:>16}\n", kind, summary.cases,
               summary.above_pld == -1.0 ? "none" : fmt::format("{:.2e}", summary.above_pld), summary.rdp_of_order,
               summary.rdp_epsilon == -1.0 ? "none" : fmt::format("{:.2e}", summary.rdp_epsilon));
  }
}

}  // namespace
}  // namespace synod
