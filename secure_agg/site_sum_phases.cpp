// The phases from the vector on: it is masked, one survivor set is signed, and what that set calls for is revealed.
#include <algorithm>
#include <utility>

#include "common/core/check.h"
#include "common/crypto/sha256.h"
#include "secure_agg/signed_messages.h"
#include "secure_agg/site_lists.h"
#include "secure_agg/site_material.h"

namespace synod::secure_agg {
namespace {

Failure Because(FailureReason reason) {
  return {reason, {}};
}

// This site's masks: its own, and one with every other participant. The seeds are used up.
std::vector<Mask> TakeMasks(SiteMaterial& material) {
  const SiteIndex own = material.self.index;
  std::vector<Mask> masks;
  masks.push_back({SelfSeed(material.setup(), own, material.self_secret), MaskSign::kAdd});
  for (const SiteIndex peer : material.participants) {
    if (peer == own) continue;
    masks.push_back({std::move(material.pair_seeds.at(peer)), own < peer ? MaskSign::kAdd : MaskSign::kSubtract});
  }
  material.pair_seeds.clear();
  material.self_secret = SecretBytes();
  return masks;
}

std::optional<Failure> CheckSurvivors(const SiteMaterial& material, const std::vector<SiteIndex>& survivors) {
  const AttemptSetup& setup = material.setup();
  if (!IsAscending(survivors, setup.sites())) return Because(FailureReason::kBadList);
  if (!Contains(survivors, material.self.index)) return Because(FailureReason::kNotIncluded);
  if (!IsSubset(survivors, material.participants)) return Because(FailureReason::kSurvivorsOutside);
  if (survivors.size() < setup.least_survivors()) return Because(FailureReason::kSurvivorsTooFew);
  return std::nullopt;
}

}  // namespace

SiteMaskedInput::SiteMaskedInput(std::unique_ptr<SiteMaterial> material) : material_(std::move(material)) {}
SiteMaskedInput::SiteMaskedInput(SiteMaskedInput&&) noexcept = default;
SiteMaskedInput& SiteMaskedInput::operator=(SiteMaskedInput&&) noexcept = default;
SiteMaskedInput::~SiteMaskedInput() = default;

const std::vector<SiteIndex>& SiteMaskedInput::complaints() const {
  return material_->complaints;
}

SiteConsistency SiteMaskedInput::Mask(UnmaskedWords&& words, SpendPermit&& permit) && {
  const AttemptFacts& facts = material_->setup().facts();
  const SpendPermit used = std::move(permit);
  SYNOD_CHECK(used.name() == facts.name && used.row().charge.plan_hash == facts.plan_hash,
              "a permit for another answer");
  SYNOD_CHECK(words.bits() == facts.bits && words.dimension() == facts.dimension, "a sum of another form");
  Poly1305::Key tag_key{};
  material_->random.Fill(tag_key);
  MaskedVector upload(std::move(words), TakeMasks(*material_), tag_key);
  return SiteConsistency(std::move(material_), std::move(upload));
}

SiteConsistency::SiteConsistency(std::unique_ptr<SiteMaterial> material, MaskedVector upload)
    : material_(std::move(material)), upload_(std::move(upload)) {}
SiteConsistency::SiteConsistency(SiteConsistency&&) noexcept = default;
SiteConsistency& SiteConsistency::operator=(SiteConsistency&&) noexcept = default;
SiteConsistency::~SiteConsistency() = default;

const UploadEnd& SiteConsistency::End() {
  if (!end_) {
    UploadEnd end;
    end.tag_key = upload_.tag_key();
    end.tag = upload_.Tag();
    end.complaints = material_->complaints;
    end.signature = SignatureOf(material_->setup(), material_->self.index, end, *material_->self.key);
    end_ = std::move(end);
  }
  return *end_;
}

Next<SiteUnmask> SiteConsistency::OnSurvivors(const SurvivorList& list, PromiseStore& promises) && {
  std::unique_ptr<SiteMaterial> material = std::move(material_);
  if (!end_) return Because(FailureReason::kOutOfTurn);
  if (std::optional<Failure> failure = CheckSurvivors(*material, list.survivors)) return *std::move(failure);
  const ToSign content = ContentOf(material->setup(), {material->participants_hash, list.survivors});
  if (const Status kept = promises.Keep(material->setup().name(), Sha256(content.bytes)); !kept.ok()) {
    return Because(kept.error().code == ErrorCode::kRefused ? FailureReason::kAlreadyPromised
                                                            : FailureReason::kPromiseNotStored);
  }
  const ConsistencySignature signature{material->self.key->Sign(content.label, content.bytes)};
  return SiteUnmask(std::move(material), list.survivors, signature);
}

SiteUnmask::SiteUnmask(std::unique_ptr<SiteMaterial> material, std::vector<SiteIndex> survivors,
                       ConsistencySignature signature)
    : material_(std::move(material)), survivors_(std::move(survivors)), signature_(signature) {}
SiteUnmask::SiteUnmask(SiteUnmask&&) noexcept = default;
SiteUnmask& SiteUnmask::operator=(SiteUnmask&&) noexcept = default;
SiteUnmask::~SiteUnmask() = default;

RevealedShare SiteUnmask::Reveal(const SiteMaterial& material, SiteIndex about) const {
  const OpenedShares& held = material.held.at(about);
  const bool survived = Contains(survivors_, about);
  const ByteView share = survived ? held.self_share.bytes() : held.mask_share.bytes();
  RevealedShare revealed{about, survived ? SecretKind::kSelfMask : SecretKind::kMaskKey, {}};
  std::copy(share.begin(), share.end(), revealed.share.begin());
  return revealed;
}

Next<Unmasking> SiteUnmask::OnSignatures(const SignatureList& list) && {
  const std::unique_ptr<SiteMaterial> material = std::move(material_);
  const AttemptSetup& setup = material->setup();
  if (!IsAscending(list.entries, setup.sites(), [](const ListedSignature& entry) { return entry.site; })) {
    return Because(FailureReason::kBadList);
  }
  if (list.entries.size() < setup.threshold()) return Because(FailureReason::kBadSignatures);
  const ToSign content = ContentOf(setup, {material->participants_hash, survivors_});
  for (const ListedSignature& entry : list.entries) {
    if (!Contains(survivors_, entry.site) ||
        !setup.key_of(entry.site).Verify(content.label, content.bytes, entry.signature)) {
      return Because(FailureReason::kBadSignatures);
    }
  }
  Unmasking message;
  for (const SiteIndex about : material->participants) {
    if (material->held.contains(about)) message.shares.push_back(Reveal(*material, about));
  }
  return message;
}

}  // namespace synod::secure_agg
