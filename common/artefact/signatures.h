// Who vouches for a generator file: the coordinator for the whole file, and every site that answered for what it gave.
//
// All signatures are Ed25519 and bound to a label. The digest that they name is that of the whole file up to the
// signatures, certificate included.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/core/strong_id.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/signed_text.h"

namespace synod {

// What a site says from its own ledger.
struct SiteStatement {
  std::string site;
  RunId run;
  Digest plan_hash{};
  std::vector<std::uint64_t> attempts;  // charged by this site, one for each entry of the plan
  Digest ledger_head{};                 // of its ledger after the run
  Digest file_digest{};                 // of the whole file up to the signatures
};

struct SiteSignature {
  std::string site;
  std::vector<std::uint64_t> attempts;
  Digest ledger_head{};
  Signature signature{};
  bool operator==(const SiteSignature&) const = default;
};

// Who the signers are, by the word of the consortium's root: its manifest and revocations when the file was published
// (common/consortium/manifest.h). With them the root's certificate alone verifies a file.
struct FileConsortium {
  static constexpr std::size_t kMaxTextBytes = 4u << 20;  // of each

  SignedText manifest;
  SignedText revocations;
  bool operator==(const FileConsortium&) const = default;
};

struct FileSignatures {
  static constexpr std::string_view kLabel = "synod.signatures";
  static constexpr std::uint32_t kVersion = 2;
  static constexpr std::size_t kMaxBytes = 16u << 20;

  Digest file_digest{};                  // finds damage also without any key
  std::optional<Signature> coordinator;  // none in a simulation
  std::vector<SiteSignature> sites;      // ascending by site
  std::optional<FileConsortium> consortium;
  bool operator==(const FileSignatures&) const = default;

  Result<std::string> CanonicalText() const;
  // Strict: one encoding only. The consortium's texts are beside a digest of them, so that damage to them is found also
  // by who trusts keys and not the root.
  static Result<FileSignatures> FromCanonicalText(std::string_view text);
};

SiteSignature SignAsSite(const SigningKey& key, const SiteStatement& statement);
bool VerifySite(const PublicKey& key, const SiteStatement& statement, const Signature& signature);

Signature SignAsCoordinator(const SigningKey& key, const Digest& file_digest);
bool VerifyCoordinator(const PublicKey& key, const Digest& file_digest, const Signature& signature);

}  // namespace synod
