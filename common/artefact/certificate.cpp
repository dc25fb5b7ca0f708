#include "common/artefact/certificate.h"

#include <fmt/format.h>

#include "common/core/hex.h"
#include "common/privacy/strict_object.h"

namespace synod {
namespace {

constexpr std::int64_t kYear10000 = 253'402'300'800;

Json EpsilonsToJson(const StatedReading& reading) {
  Json list = Json::array();
  for (std::size_t i = 0; i < reading.by_sites.size(); ++i) {
    const StatedEpsilons& epsilons = reading.by_sites[i];
    list.push_back({{"sites_per_subject", i + 1},
                    {"epsilon_upper", epsilons.upper},
                    {"epsilon_lower", epsilons.lower},
                    {"epsilon_rdp", epsilons.rdp}});
  }
  return {{"reading", TrustReadingName(reading.reading)}, {"shares", reading.shares}, {"epsilons", list}};
}

Result<StatedEpsilons> EpsilonsFromJson(const Json& json, std::uint32_t sites_per_subject) {
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                         StrictObject::Of(json, "certificate: epsilons",
                                          {"sites_per_subject", "epsilon_upper", "epsilon_lower", "epsilon_rdp"}));
  SYNOD_RETURN_IF_ERROR(fields.Unsigned32("sites_per_subject", sites_per_subject, sites_per_subject));
  StatedEpsilons epsilons;
  SYNOD_ASSIGN_OR_RETURN(epsilons.upper, fields.Real("epsilon_upper"));
  SYNOD_ASSIGN_OR_RETURN(epsilons.lower, fields.Real("epsilon_lower"));
  SYNOD_ASSIGN_OR_RETURN(epsilons.rdp, fields.Real("epsilon_rdp"));
  return epsilons;
}

Result<StatedReading> ReadingFromJson(const Json& json, TrustReading expected) {
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                         StrictObject::Of(json, "certificate: reading", {"reading", "shares", "epsilons"}));
  SYNOD_ASSIGN_OR_RETURN(const std::string name, fields.Text("reading", 32));
  if (name != TrustReadingName(expected)) return fields.Wrong("reading", "is not the one expected here");
  StatedReading reading;
  reading.reading = expected;
  SYNOD_ASSIGN_OR_RETURN(reading.shares, fields.Unsigned32("shares", 1, Plan::kMaxSites));
  SYNOD_ASSIGN_OR_RETURN(const Json* list, fields.Array("epsilons", reading.by_sites.size()));
  if (list->size() != reading.by_sites.size()) return fields.Wrong("epsilons", "has too few items");
  for (std::uint32_t i = 0; i < reading.by_sites.size(); ++i) {
    SYNOD_ASSIGN_OR_RETURN(reading.by_sites[i], EpsilonsFromJson((*list)[i], i + 1));
  }
  return reading;
}

Result<CertifiedEntry> EntryFromJson(const Json& json) {
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                         StrictObject::Of(json, "certificate: entry", {"name", "allowed", "used"}));
  constexpr std::uint64_t kMost = 2 * std::uint64_t{PlanEntry::kMaxCount};
  CertifiedEntry entry;
  SYNOD_ASSIGN_OR_RETURN(entry.name, fields.PlainName("name"));
  SYNOD_ASSIGN_OR_RETURN(entry.allowed, fields.Unsigned("allowed", 1, kMost));
  SYNOD_ASSIGN_OR_RETURN(entry.used, fields.Unsigned("used", 0, kMost));
  return entry;
}

Result<std::vector<std::string>> SentencesFromJson(const StrictObject& fields, std::string_view key) {
  SYNOD_ASSIGN_OR_RETURN(const Json* list, fields.Array(key, Certificate::kMaxSentences));
  std::vector<std::string> sentences;
  for (const Json& item : *list) {
    if (!item.is_string() || !IsPlainName(item.get_ref<const std::string&>(), 1024)) {
      return fields.Wrong(key, "has an item that is not a sentence in printable ASCII");
    }
    sentences.push_back(item.get<std::string>());
  }
  return sentences;
}

Status GuaranteeFromJson(const StrictObject& fields, Certificate& certificate) {
  SYNOD_ASSIGN_OR_RETURN(const std::string unit, fields.Text("unit", 32));
  SYNOD_ASSIGN_OR_RETURN(certificate.unit, PrivacyUnitFromName(unit));
  SYNOD_ASSIGN_OR_RETURN(const std::string relation, fields.Text("relation", 32));
  SYNOD_ASSIGN_OR_RETURN(certificate.relation, AdjacencyFromName(relation));
  SYNOD_ASSIGN_OR_RETURN(certificate.delta, fields.Real("delta"));
  SYNOD_ASSIGN_OR_RETURN(certificate.max_sites_per_subject,
                         fields.Unsigned32("max_sites_per_subject", 1, Plan::kMaxSitesPerSubject));
  SYNOD_ASSIGN_OR_RETURN(const Json* readings, fields.Array("readings", kTrustReadings.size()));
  if (readings->size() != kTrustReadings.size()) return fields.Wrong("readings", "has too few items");
  for (std::size_t i = 0; i < kTrustReadings.size(); ++i) {
    SYNOD_ASSIGN_OR_RETURN(StatedReading reading, ReadingFromJson((*readings)[i], kTrustReadings[i]));
    certificate.readings.push_back(reading);
  }
  return {};
}

Status RunFromJson(const StrictObject& fields, Certificate& certificate) {
  constexpr std::uint32_t kMost = Plan::kMaxSites;
  SYNOD_ASSIGN_OR_RETURN(const Json* entries, fields.Array("entries", Plan::kMaxEntries));
  for (const Json& item : *entries) {
    SYNOD_ASSIGN_OR_RETURN(CertifiedEntry entry, EntryFromJson(item));
    certificate.entries.push_back(std::move(entry));
  }
  SYNOD_ASSIGN_OR_RETURN(certificate.participation, Participation::FromJson(fields.At("participation")));
  SYNOD_ASSIGN_OR_RETURN(certificate.sites, fields.Unsigned32("sites", 1, kMost));
  SYNOD_ASSIGN_OR_RETURN(certificate.threshold, fields.Unsigned32("threshold", 1, kMost));
  SYNOD_ASSIGN_OR_RETURN(certificate.max_colluding, fields.Unsigned32("max_colluding", 0, kMost));
  SYNOD_ASSIGN_OR_RETURN(certificate.quorum, fields.Unsigned32("quorum", 1, kMost));
  SYNOD_ASSIGN_OR_RETURN(certificate.honest_shares, fields.Unsigned32("honest_shares", 1, kMost));
  return {};
}

Status IdentityFromJson(const StrictObject& fields, Certificate& certificate) {
  SYNOD_ASSIGN_OR_RETURN(const std::string kind, fields.Text("class", 32));
  if (kind != "federated" && kind != "simulation") return fields.Wrong("class", "is not a known class");
  certificate.kind = kind == "federated" ? CertificateClass::kFederated : CertificateClass::kSimulation;
  SYNOD_ASSIGN_OR_RETURN(const std::string run, fields.Text("run", 32));
  const auto run_bytes = FixedFromHex<16>(run);
  if (!run_bytes.ok()) return fields.Wrong("run", "is not 32 hexadecimal digits");
  certificate.run.bytes = *run_bytes;
  SYNOD_ASSIGN_OR_RETURN(certificate.schema_hash, fields.Hash("schema_hash"));
  SYNOD_ASSIGN_OR_RETURN(certificate.plan_hash, fields.Hash("plan_hash"));
  SYNOD_ASSIGN_OR_RETURN(certificate.content_digest, fields.Hash("content_digest"));
  SYNOD_ASSIGN_OR_RETURN(certificate.software_version, fields.PlainName("software_version"));
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t created, fields.Unsigned("created_unix", 0, kYear10000 - 1));
  certificate.created_unix = static_cast<std::int64_t>(created);
  SYNOD_ASSIGN_OR_RETURN(certificate.statements, SentencesFromJson(fields, "statements"));
  SYNOD_ASSIGN_OR_RETURN(certificate.not_claimed, SentencesFromJson(fields, "not_claimed"));
  return {};
}

}  // namespace

std::string_view CertificateClassName(CertificateClass value) {
  return value == CertificateClass::kFederated ? "federated" : "simulation";
}

Json Certificate::ToJson() const {
  Json reading_list = Json::array();
  for (const StatedReading& reading : readings) reading_list.push_back(EpsilonsToJson(reading));
  Json entry_list = Json::array();
  for (const CertifiedEntry& entry : entries) {
    entry_list.push_back({{"name", entry.name}, {"allowed", entry.allowed}, {"used", entry.used}});
  }
  return {{"class", CertificateClassName(kind)},
          {"run", ToHex(run.bytes)},
          {"unit", PrivacyUnitName(unit)},
          {"relation", AdjacencyName(relation)},
          {"delta", delta},
          {"max_sites_per_subject", max_sites_per_subject},
          {"readings", reading_list},
          {"entries", entry_list},
          {"participation", participation.ToJson()},
          {"sites", sites},
          {"threshold", threshold},
          {"max_colluding", max_colluding},
          {"quorum", quorum},
          {"honest_shares", honest_shares},
          {"schema_hash", ToHex(schema_hash)},
          {"plan_hash", ToHex(plan_hash)},
          {"content_digest", ToHex(content_digest)},
          {"software_version", software_version},
          {"created_unix", created_unix},
          {"statements", statements},
          {"not_claimed", not_claimed}};
}

Result<Certificate> Certificate::FromJson(const Json& json) {
  SYNOD_ASSIGN_OR_RETURN(
      const StrictObject fields,
      StrictObject::Of(
          json, "certificate",
          {"class",        "run",           "unit",          "relation",  "delta",          "max_sites_per_subject",
           "readings",     "entries",       "participation", "sites",     "threshold",      "max_colluding",
           "quorum",       "honest_shares", "schema_hash",   "plan_hash", "content_digest", "software_version",
           "created_unix", "statements",    "not_claimed"}));
  Certificate certificate;
  SYNOD_RETURN_IF_ERROR(IdentityFromJson(fields, certificate));
  SYNOD_RETURN_IF_ERROR(GuaranteeFromJson(fields, certificate));
  SYNOD_RETURN_IF_ERROR(RunFromJson(fields, certificate));
  return certificate;
}

Result<std::string> Certificate::CanonicalText() const {
  return CanonicalJson(kLabel, kVersion, ToJson());
}

Result<Certificate> Certificate::FromCanonicalText(std::string_view text) {
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseCanonicalJson(kLabel, kVersion, text, kMaxBytes));
  SYNOD_ASSIGN_OR_RETURN(Certificate certificate, FromJson(json));
  SYNOD_ASSIGN_OR_RETURN(const std::string again, certificate.CanonicalText());
  if (again != text) return BadInput("the certificate is not in canonical form");
  return certificate;
}

}  // namespace synod
