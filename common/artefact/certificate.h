// What a generator file says about its own making: the guarantee, what was used of the plan, who took part, and what is
// not claimed. The coordinator signs it; every site that answered signs it too (signatures.h).
//
// A certificate states; Verify (verify.h) recomputes and compares.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/artefact/participation.h"
#include "common/core/bytes.h"
#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/core/strong_id.h"
#include "common/privacy/plan.h"
#include "common/privacy/plan_readings.h"

namespace synod {

enum class CertificateClass : std::uint8_t {
  kFederated,   // made by a federation: sites held their data and charged their ledgers
  kSimulation,  // made in one process by somebody trusted with all data: never the guarantee of a federation
};
std::string_view CertificateClassName(CertificateClass value);  // "federated", "simulation"

// Epsilons as stated: upper bounds rounded up to 0.001, the lower bound rounded down.
struct StatedEpsilons {
  double upper = 0.0;  // certified, over both accountants
  double lower = 0.0;  // on the accountant's worst case, not on an attack
  double rdp = 0.0;    // Renyi accountant alone
  bool operator==(const StatedEpsilons&) const = default;
};

struct StatedReading {
  TrustReading reading = TrustReading::kCoordinator;
  std::uint32_t shares = 1;
  std::array<StatedEpsilons, Plan::kMaxSitesPerSubject> by_sites{};  // [m - 1]
  bool operator==(const StatedReading&) const = default;
};

struct CertifiedEntry {
  std::string name;
  std::uint64_t allowed = 0;  // count + retries: what the epsilon pays for
  std::uint64_t used = 0;     // attempts that were made
  bool operator==(const CertifiedEntry&) const = default;
};

struct Certificate {
  static constexpr std::string_view kLabel = "synod.certificate";
  static constexpr std::uint32_t kVersion = 1;
  static constexpr std::size_t kMaxBytes = 64u << 20;
  static constexpr std::size_t kMaxSentences = 64;

  CertificateClass kind = CertificateClass::kSimulation;
  RunId run;
  PrivacyUnit unit = PrivacyUnit::kRecord;
  Adjacency relation = Adjacency::kAddRemove;
  double delta = 0.0;
  std::uint32_t max_sites_per_subject = 1;
  std::vector<StatedReading> readings;  // in the order of kTrustReadings
  std::vector<CertifiedEntry> entries;  // in the order of the plan
  Participation participation;
  std::uint32_t sites = 0;          // N
  std::uint32_t threshold = 0;      // t
  std::uint32_t max_colluding = 0;  // c
  std::uint32_t quorum = 0;
  std::uint32_t honest_shares = 0;  // h
  Digest schema_hash{};
  Digest plan_hash{};
  Digest content_digest{};  // of the file without certificate and signatures
  std::string software_version;
  std::int64_t created_unix = 0;  // seconds, UTC
  std::vector<std::string> statements;
  std::vector<std::string> not_claimed;
  bool operator==(const Certificate&) const = default;

  // The reading that leads: the coordinator with its colluders, at m = max_sites_per_subject.
  const StatedEpsilons& headline() const { return readings[0].by_sites[max_sites_per_subject - 1]; }

  Json ToJson() const;
  // Strict in form; whether it is true is for Verify.
  static Result<Certificate> FromJson(const Json& json);
  Result<std::string> CanonicalText() const;
  static Result<Certificate> FromCanonicalText(std::string_view text);
};

}  // namespace synod
