#include "common/artefact/signatures.h"

#include <limits>

#include "common/artefact/signed_text_json.h"
#include "common/core/check.h"
#include "common/core/hex.h"
#include "common/crypto/sha256.h"
#include "common/privacy/plan.h"
#include "common/privacy/strict_object.h"

namespace synod {
namespace {

constexpr std::string_view kSiteLabel = "synod.site_statement/1";
constexpr std::string_view kCoordinatorLabel = "synod.generator_file/1";

std::string StatementText(const SiteStatement& statement) {
  const Result<std::string> text = CanonicalJson("synod.site_statement", 1,
                                                 {{"site", statement.site},
                                                  {"run", ToHex(statement.run.bytes)},
                                                  {"plan_hash", ToHex(statement.plan_hash)},
                                                  {"attempts", statement.attempts},
                                                  {"ledger_head", ToHex(statement.ledger_head)},
                                                  {"file_digest", ToHex(statement.file_digest)}});
  SYNOD_CHECK(text.ok(), "a site's id is ASCII");
  return *text;
}

Result<Signature> SignatureFrom(const StrictObject& fields, std::string_view key) {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, fields.Text(key, 128));
  const auto bytes = FixedFromHex<64>(text);
  if (!bytes.ok()) return fields.Wrong(key, "is not 128 hexadecimal digits");
  return *bytes;
}

Json SiteToJson(const SiteSignature& site) {
  return {{"site", site.site},
          {"attempts", site.attempts},
          {"ledger_head", ToHex(site.ledger_head)},
          {"signature", ToHex(site.signature)}};
}

Result<SiteSignature> SiteFromJson(const Json& json) {
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields, StrictObject::Of(json, "signature of a site",
                                                                     {"site", "attempts", "ledger_head", "signature"}));
  SiteSignature site;
  SYNOD_ASSIGN_OR_RETURN(site.site, fields.PlainName("site"));
  SYNOD_ASSIGN_OR_RETURN(const Json* attempts, fields.Array("attempts", Plan::kMaxEntries));
  for (const Json& item : *attempts) {
    if (!item.is_number_unsigned()) return fields.Wrong("attempts", "has an item that is not a whole number");
    site.attempts.push_back(item.get<std::uint64_t>());
  }
  SYNOD_ASSIGN_OR_RETURN(site.ledger_head, fields.Hash("ledger_head"));
  SYNOD_ASSIGN_OR_RETURN(site.signature, SignatureFrom(fields, "signature"));
  return site;
}

Result<Digest> DigestOf(const FileConsortium& consortium) {
  SYNOD_ASSIGN_OR_RETURN(const std::string text,
                         CanonicalJson("synod.file_consortium", 1,
                                       {{"manifest", SignedTextToJson(consortium.manifest)},
                                        {"revocations", SignedTextToJson(consortium.revocations)}}));
  return Sha256(text);
}

Result<Json> ConsortiumToJson(const FileConsortium& consortium) {
  SYNOD_ASSIGN_OR_RETURN(const Digest digest, DigestOf(consortium));
  return Json{{"manifest", SignedTextToJson(consortium.manifest)},
              {"revocations", SignedTextToJson(consortium.revocations)},
              {"digest", ToHex(digest)}};
}

Result<FileConsortium> ConsortiumFromJson(const Json& json) {
  constexpr std::size_t kMaxText = FileConsortium::kMaxTextBytes;
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                         StrictObject::Of(json, "signatures: consortium", {"manifest", "revocations", "digest"}));
  FileConsortium consortium;
  SYNOD_ASSIGN_OR_RETURN(consortium.manifest,
                         SignedTextFromJson(fields.At("manifest"), "signatures: manifest", kMaxText));
  SYNOD_ASSIGN_OR_RETURN(consortium.revocations,
                         SignedTextFromJson(fields.At("revocations"), "signatures: revocations", kMaxText));
  SYNOD_ASSIGN_OR_RETURN(const Digest stated, fields.Hash("digest"));
  SYNOD_ASSIGN_OR_RETURN(const Digest found, DigestOf(consortium));
  if (found != stated) return fields.Wrong("digest", "is not that of manifest and revocations: the file is damaged");
  return consortium;
}

}  // namespace

Result<std::string> FileSignatures::CanonicalText() const {
  Json list = Json::array();
  for (const SiteSignature& site : sites) list.push_back(SiteToJson(site));
  Json coordinator_list = Json::array();
  if (coordinator) coordinator_list.push_back({{"signature", ToHex(*coordinator)}});
  Json consortium_list = Json::array();
  if (consortium) {
    SYNOD_ASSIGN_OR_RETURN(Json one, ConsortiumToJson(*consortium));
    consortium_list.push_back(std::move(one));
  }
  return CanonicalJson(kLabel, kVersion,
                       {{"file_digest", ToHex(file_digest)},
                        {"coordinator", coordinator_list},
                        {"sites", list},
                        {"consortium", consortium_list}});
}

Result<FileSignatures> FileSignatures::FromCanonicalText(std::string_view text) {
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseCanonicalJson(kLabel, kVersion, text, kMaxBytes));
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                         StrictObject::Of(json, "signatures", {"file_digest", "coordinator", "sites", "consortium"}));
  FileSignatures signatures;
  SYNOD_ASSIGN_OR_RETURN(signatures.file_digest, fields.Hash("file_digest"));
  SYNOD_ASSIGN_OR_RETURN(const Json* coordinators, fields.Array("coordinator", 1));
  for (const Json& item : *coordinators) {
    SYNOD_ASSIGN_OR_RETURN(const StrictObject one, StrictObject::Of(item, "signatures: coordinator", {"signature"}));
    SYNOD_ASSIGN_OR_RETURN(signatures.coordinator, SignatureFrom(one, "signature"));
  }
  SYNOD_ASSIGN_OR_RETURN(const Json* sites, fields.Array("sites", Plan::kMaxSites));
  for (const Json& item : *sites) {
    SYNOD_ASSIGN_OR_RETURN(SiteSignature site, SiteFromJson(item));
    if (!signatures.sites.empty() && signatures.sites.back().site >= site.site) {
      return fields.Wrong("sites", "is not in ascending order without repeats");
    }
    signatures.sites.push_back(std::move(site));
  }
  SYNOD_ASSIGN_OR_RETURN(const Json* consortiums, fields.Array("consortium", 1));
  for (const Json& item : *consortiums) {
    SYNOD_ASSIGN_OR_RETURN(signatures.consortium, ConsortiumFromJson(item));
  }
  SYNOD_ASSIGN_OR_RETURN(const std::string again, signatures.CanonicalText());
  if (again != text) return BadInput("the signatures are not in canonical form");
  return signatures;
}

SiteSignature SignAsSite(const SigningKey& key, const SiteStatement& statement) {
  const Signature signature = key.Sign(kSiteLabel, AsBytes(StatementText(statement)));
  return {statement.site, statement.attempts, statement.ledger_head, signature};
}

bool VerifySite(const PublicKey& key, const SiteStatement& statement, const Signature& signature) {
  return key.Verify(kSiteLabel, AsBytes(StatementText(statement)), signature);
}

Signature SignAsCoordinator(const SigningKey& key, const Digest& file_digest) {
  return key.Sign(kCoordinatorLabel, file_digest);
}

bool VerifyCoordinator(const PublicKey& key, const Digest& file_digest, const Signature& signature) {
  return key.Verify(kCoordinatorLabel, file_digest, signature);
}

}  // namespace synod
