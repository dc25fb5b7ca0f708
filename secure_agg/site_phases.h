// A site's side of one attempt, one class a phase. A phase is used up by the message of the coordinator that ends it
// and gives the next phase, or the reason why this site goes no further; there is no way back and no way past a check.
//
//   SiteAdvertise -> SiteShareKeys -> SiteMaskedInput -> SiteConsistency -> SiteUnmask -> Unmasking
//
// What a malicious coordinator is held to: the roster's keys are the site's own copy, every peer's key is signed for
// exactly this attempt (kForgedMember), both sites of a pair derive keys that contain the set-up's hash (another query,
// another model or other thresholds give other masks and no sum), a survivor set is signed once in a life-time
// (PromiseStore), holds this site and at least the quorum, and of no peer are both secrets revealed: one function maps
// membership in the one signed set to one secret. Each site's secrets live in memory only.
//
// Threads: one at a time. Secrets are wiped when a phase is used up or destroyed.
#pragma once

#include <map>
#include <memory>
#include <variant>
#include <vector>

#include "common/crypto/ed25519.h"
#include "common/crypto/secret_random.h"
#include "common/privacy/ledger.h"
#include "secure_agg/failure.h"
#include "secure_agg/masked_vector.h"
#include "secure_agg/messages.h"
#include "secure_agg/promise_store.h"
#include "secure_agg/shamir.h"

namespace synod::secure_agg {

struct SiteSelf {
  std::shared_ptr<const AttemptSetup> setup;
  SiteIndex index = 0;                    // of this site in the roster
  std::shared_ptr<const SigningKey> key;  // whose public key the roster has for this site (our own duty)
};

struct PeerStatement {
  SiteIndex site = 0;
  Bytes statement;  // signed by the site for this attempt
};

// The secrets of this site for one attempt and what is known of its peers; passed from phase to phase.
struct SiteMaterial;

class SiteShareKeys;
class SiteMaskedInput;
class SiteConsistency;
class SiteUnmask;

template <typename Phase>
using Next = std::variant<Phase, Failure>;

class SiteAdvertise {
 public:
  // `statement` has at most kMaxStatementBytes (our own duty).
  SiteAdvertise(SiteSelf self, SecretRandom random, Bytes statement);
  SiteAdvertise(SiteAdvertise&&) noexcept;
  SiteAdvertise& operator=(SiteAdvertise&&) noexcept;
  ~SiteAdvertise();

  const Advertisement& message() const;
  Next<SiteShareKeys> OnAdvertisements(const AdvertisementList& list) &&;

 private:
  std::unique_ptr<SiteMaterial> material_;
};

class SiteShareKeys {
 public:
  SiteShareKeys(SiteShareKeys&&) noexcept;
  SiteShareKeys& operator=(SiteShareKeys&&) noexcept;
  ~SiteShareKeys();

  // Of all peers that take part, this site not included.
  std::vector<PeerStatement> statements() const;
  const ShareBundle& message() const { return bundle_; }
  Next<SiteMaskedInput> OnShares(const ShareList& list) &&;

 private:
  friend class SiteAdvertise;
  SiteShareKeys(std::unique_ptr<SiteMaterial> material, ShareBundle bundle);
  std::unique_ptr<SiteMaterial> material_;
  ShareBundle bundle_;
};

class SiteMaskedInput {
 public:
  SiteMaskedInput(SiteMaskedInput&&) noexcept;
  SiteMaskedInput& operator=(SiteMaskedInput&&) noexcept;
  ~SiteMaskedInput();

  // Peers whose shares for this site cannot be used. They stay in the sum; this site can reveal nothing about them.
  const std::vector<SiteIndex>& complaints() const;
  // `words` are of the set-up's form, and `permit` is of this very answer under this plan (both our own duty): nothing
  // is masked that was not charged first.
  SiteConsistency Mask(UnmaskedWords&& words, SpendPermit&& permit) &&;

 private:
  friend class SiteShareKeys;
  explicit SiteMaskedInput(std::unique_ptr<SiteMaterial> material);
  std::unique_ptr<SiteMaterial> material_;
};

class SiteConsistency {
 public:
  SiteConsistency(SiteConsistency&&) noexcept;
  SiteConsistency& operator=(SiteConsistency&&) noexcept;
  ~SiteConsistency();

  MaskedVector& upload() { return upload_; }
  const MaskedVector& upload() const { return upload_; }
  // What follows the last chunk; the same every time.
  const UploadEnd& End();
  // Keeps the promise durably before it signs.
  Next<SiteUnmask> OnSurvivors(const SurvivorList& list, PromiseStore& promises) &&;

 private:
  friend class SiteMaskedInput;
  SiteConsistency(std::unique_ptr<SiteMaterial> material, MaskedVector upload);
  std::unique_ptr<SiteMaterial> material_;
  MaskedVector upload_;
  std::optional<UploadEnd> end_;
};

class SiteUnmask {
 public:
  SiteUnmask(SiteUnmask&&) noexcept;
  SiteUnmask& operator=(SiteUnmask&&) noexcept;
  ~SiteUnmask();

  const ConsistencySignature& message() const { return signature_; }
  Next<Unmasking> OnSignatures(const SignatureList& list) &&;

 private:
  friend class SiteConsistency;
  SiteUnmask(std::unique_ptr<SiteMaterial> material, std::vector<SiteIndex> survivors, ConsistencySignature signature);
  RevealedShare Reveal(const SiteMaterial& material, SiteIndex about) const;
  std::unique_ptr<SiteMaterial> material_;
  std::vector<SiteIndex> survivors_;
  ConsistencySignature signature_;
};

}  // namespace synod::secure_agg
