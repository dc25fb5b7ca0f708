// The accountants against third-party results (Google dp_accounting, Opacus, Microsoft PRV accountant).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <optional>
#include <string>

#include "common/core/canonical_json.h"
#include "common/core/file.h"
#include "common/privacy/epsilon.h"
#include "common/privacy/rdp_accountant.h"
#include "tests/support/shared_data.h"

namespace synod {
namespace {

struct VectorCase {
  PrivacyEvents events;
  Adjacency adjacency = Adjacency::kAddRemove;
  unsigned sites = 1;
  double delta = 0.0;
};

Json LoadVectors(const std::string& path) {
  const Result<std::string> text = ReadFile(path, std::size_t{16} << 20);
  if (!text.ok()) return Json::array();
  Result<Json> parsed = ParseJson(*text, std::size_t{16} << 20);
  return parsed.ok() ? *parsed : Json::array();
}

PrivacyEvent EventOf(const Json& entry, const char* count) {
  return {entry.at("q").get<double>(), entry.at("sigma").get<double>(), entry.at(count).get<std::uint64_t>()};
}

// The case in our terms, or nothing for a mechanism that this project does not run.
std::optional<VectorCase> CaseOf(const Json& entry) {
  VectorCase result;
  result.delta = entry.at("delta").get<double>();
  const std::string adjacency = entry.at("adjacency");
  if (adjacency == "zero_out") result.adjacency = Adjacency::kZeroOut;
  if (adjacency == "replace_one") result.adjacency = Adjacency::kReplaceOne;
  const std::string mechanism = entry.at("mechanism");
  if (mechanism == "poisson_subsampled_gaussian" || mechanism == "gaussian") {
    result.events = {EventOf(entry, "steps")};
  } else if (mechanism == "heterogeneous_poisson_gaussian") {
    for (const Json& segment : entry.at("segments")) result.events.push_back(EventOf(segment, "steps"));
  } else if (mechanism == "mixture_of_gaussians_group") {
    result.events = {EventOf(entry, "steps")};
    result.sites = entry.at("records_per_patient").get<unsigned>();
  } else {
    return std::nullopt;
  }
  return result;
}

std::uint64_t UsesOf(const PrivacyEvents& events) {
  std::uint64_t uses = 0;
  for (const PrivacyEvent& event : events) uses += event.count;
  return uses;
}

bool HasNumber(const Json& entry, const char* key) {
  return entry.contains(key) && entry.at(key).is_number();
}

TEST(AccountingVectors, EpsilonIsInsideTheBandOfEveryVectorOfOurMechanism) {
  SYNOD_SHARED_OR_SKIP(path, "vectors/accounting_vectors.json");
  const Json vectors = LoadVectors(path);
  ASSERT_GT(vectors.size(), 50U);
  std::map<std::string, int> skipped;
  int compared = 0;
  for (const Json& entry : vectors) {
    const std::optional<VectorCase> vector_case = CaseOf(entry);
    if (!vector_case) {
      ++skipped[entry.at("mechanism")];
      continue;
    }
    const std::string id = entry.at("id");
    SCOPED_TRACE(id);
    const Result<EpsilonBounds> ours =
        ComputeEpsilon(vector_case->events, vector_case->delta, vector_case->adjacency, vector_case->sites);
    ASSERT_TRUE(ours.ok()) << ours.error().message;
    const double pld = entry.at("pld_epsilon");
    const bool wide = vector_case->adjacency == Adjacency::kReplaceOne || vector_case->sites > 1;
    EXPECT_LE(ours->upper, pld * (1.0 + (wide ? 5e-3 : 2e-3)) + 1e-4);
    EXPECT_LE(ours->upper, ours->rdp);
    EXPECT_LE(ours->lower, ours->upper);
    EXPECT_GE(ours->lower, 0.97 * ours->upper - 1e-4);
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
    ++compared;
  }
  for (const auto& [mechanism, count] : skipped) {
    fmt::print("skipped {} of {}: not a mechanism of this project\n", count, mechanism);
  }
  EXPECT_GE(compared, 60);
}

TEST(AccountingVectors, RdpOfEveryListedOrderIsTheirs) {
  SYNOD_SHARED_OR_SKIP(path, "vectors/accounting_vectors.json");
  int compared = 0;
  for (const Json& entry : LoadVectors(path)) {
    const std::optional<VectorCase> vector_case = CaseOf(entry);
    if (!vector_case || vector_case->sites > 1 || !entry.contains("rdp_at_orders") ||
        !entry.at("rdp_at_orders").is_object() || vector_case->adjacency == Adjacency::kReplaceOne) {
      continue;
    }
    SCOPED_TRACE(entry.at("id").get<std::string>());
    for (const auto& [order, theirs] : entry.at("rdp_at_orders").items()) {
      if (!theirs.is_number()) continue;
      const Result<double> ours = RdpAtOrder(vector_case->events, std::stod(order), vector_case->adjacency);
      ASSERT_TRUE(ours.ok());
      // Theirs is the logarithm of a number near 1, which leaves an absolute error of a few roundoffs per use.
      const double uses = static_cast<double>(UsesOf(vector_case->events));
      const double their_roundoff = 5e-16 * uses / (std::stod(order) - 1.0);
      EXPECT_NEAR(*ours, theirs.get<double>(), 1e-6 * theirs.get<double>() + their_roundoff) << "order " << order;
      ++compared;
    }
    if (HasNumber(entry, "rdp_epsilon")) {  // their grid of orders is coarser
      const Result<RdpBound> ours = RdpEpsilon(vector_case->events, vector_case->delta, vector_case->adjacency);
      ASSERT_TRUE(ours.ok());
      EXPECT_LE(ours->epsilon, entry.at("rdp_epsilon").get<double>() * (1.0 + 1e-6));
    }
  }
  EXPECT_GE(compared, 300);
}

}  // namespace
}  // namespace synod
