// The phases before the vector: keys are advertised, shares are dealt.
#include <algorithm>
#include <set>
#include <utility>

#include "common/core/check.h"
#include "secure_agg/signed_messages.h"
#include "secure_agg/site_lists.h"
#include "secure_agg/site_material.h"

namespace synod::secure_agg {
namespace {

Failure Because(FailureReason reason) {
  return {reason, {}};
}
Failure Because(FailureReason reason, Blame blame) {
  return {reason, {blame}};
}

// Form, membership of this site, and the signature of every peer under the roster's keys.
std::optional<Failure> CheckAdvertisements(const SiteMaterial& material, const AdvertisementList& list) {
  const AttemptSetup& setup = material.setup();
  if (!IsAscending(list.entries, setup.sites(), [](const ListedAdvertisement& entry) { return entry.site; })) {
    return Because(FailureReason::kBadList);
  }
  if (list.entries.size() < setup.least_survivors()) return Because(FailureReason::kTooFewSites);
  const auto own = std::find_if(list.entries.begin(), list.entries.end(),
                                [&](const ListedAdvertisement& entry) { return entry.site == material.self.index; });
  if (own == list.entries.end() || own->advertisement != material.advertisement) {
    return Because(FailureReason::kNotIncluded);
  }
  std::set<AgreementKey::Public> keys;
  for (const ListedAdvertisement& entry : list.entries) {
    const Advertisement& peer = entry.advertisement;
    if (peer.statement.size() > kMaxStatementBytes) return Because(FailureReason::kBadList);
    // Its own entry was compared above.
    const bool is_signed = entry.site == material.self.index || IsSignedBySite(setup, entry.site, peer);
    if (!is_signed) return Because(FailureReason::kForgedMember);
    if (!keys.insert(peer.share_key).second || !keys.insert(peer.mask_key).second) {
      return Because(FailureReason::kForgedMember, {entry.site, BlameReason::kWeakKey});
    }
  }
  return std::nullopt;
}

// Agrees on the keys of every channel and every pair of masks.
std::optional<Failure> DeriveKeys(SiteMaterial& material, const AdvertisementList& list) {
  const AttemptSetup& setup = material.setup();
  const SiteIndex own = material.self.index;
  for (const ListedAdvertisement& entry : list.entries) {
    const Advertisement& peer = entry.advertisement;
    Result<SecretBytes> channel = ShareChannelKey(setup, *material.share_key, own, peer.share_key, entry.site);
    if (!channel.ok()) return Because(FailureReason::kForgedMember, {entry.site, BlameReason::kWeakKey});
    material.channel_keys.emplace(entry.site, std::move(*channel));
    if (entry.site == own) continue;
    Result<SecretBytes> pair = PairSeed(setup, *material.mask_key, own, peer.mask_key, entry.site);
    if (!pair.ok()) return Because(FailureReason::kForgedMember, {entry.site, BlameReason::kWeakKey});
    material.pair_seeds.emplace(entry.site, std::move(*pair));
  }
  material.share_key.reset();
  return std::nullopt;
}

// Splits both secrets among all sites of the list and seals each share.
ShareBundle DealShares(SiteMaterial& material) {
  const AttemptSetup& setup = material.setup();
  const SiteIndex own = material.self.index;
  material.self_secret = SecretBytes(kSecretBytes);
  material.random.Fill(material.self_secret.bytes());
  std::vector<std::uint32_t> points;
  for (const ListedAdvertisement& entry : material.list.entries) points.push_back(PointOf(entry.site));
  const auto self_shares = Split(material.self_secret, setup.threshold(), points, material.random);
  const auto mask_shares = Split(material.mask_key->private_bytes(), setup.threshold(), points, material.random);
  material.mask_key.reset();

  ShareBundle bundle;
  bundle.self_commitment = SelfCommitment(setup, own, material.self_secret);
  for (std::size_t i = 0; i < points.size(); ++i) {
    DealtShares dealt;
    dealt.recipient = material.list.entries[i].site;
    dealt.self_share_hash = ShareHash(setup, own, dealt.recipient, SecretKind::kSelfMask, self_shares[i].bytes());
    dealt.mask_share_hash = ShareHash(setup, own, dealt.recipient, SecretKind::kMaskKey, mask_shares[i].bytes());
    dealt.sealed =
        SealShares(setup, material.channel_keys.at(dealt.recipient), own, dealt, self_shares[i], mask_shares[i]);
    bundle.shares.push_back(dealt);
  }
  bundle.signature = SignatureOf(setup, own, bundle, *material.self.key);
  return bundle;
}

// The entry that the coordinator must give back for what this site dealt to itself.
ListedShares OwnEntry(const ShareBundle& bundle, SiteIndex own) {
  const auto place = std::find_if(bundle.shares.begin(), bundle.shares.end(),
                                  [&](const DealtShares& dealt) { return dealt.recipient == own; });
  SYNOD_CHECK(place != bundle.shares.end(), "a site deals to itself too");
  return {own, place->sealed, place->self_share_hash, place->mask_share_hash};
}

}  // namespace

SiteAdvertise::SiteAdvertise(SiteSelf self, SecretRandom random, Bytes statement)
    : material_(std::make_unique<SiteMaterial>(std::move(self), std::move(random))) {
  const SiteSelf& own = material_->self;
  SYNOD_CHECK(own.setup && own.key && own.index < own.setup->sites(), "a site outside the roster");
  SYNOD_CHECK(own.setup->key_of(own.index) == own.key->public_key(), "another key than the roster's");
  SYNOD_CHECK(statement.size() <= kMaxStatementBytes, "a statement that is too long");
  Advertisement& message = material_->advertisement;
  message.share_key = material_->share_key->public_key();
  message.mask_key = material_->mask_key->public_key();
  message.statement = std::move(statement);
  message.signature = SignatureOf(*own.setup, own.index, message, *own.key);
}
SiteAdvertise::SiteAdvertise(SiteAdvertise&&) noexcept = default;
SiteAdvertise& SiteAdvertise::operator=(SiteAdvertise&&) noexcept = default;
SiteAdvertise::~SiteAdvertise() = default;

const Advertisement& SiteAdvertise::message() const {
  return material_->advertisement;
}

Next<SiteShareKeys> SiteAdvertise::OnAdvertisements(const AdvertisementList& list) && {
  std::unique_ptr<SiteMaterial> material = std::move(material_);
  if (std::optional<Failure> failure = CheckAdvertisements(*material, list)) return *std::move(failure);
  if (std::optional<Failure> failure = DeriveKeys(*material, list)) return *std::move(failure);
  material->list = list;
  ShareBundle bundle = DealShares(*material);
  return SiteShareKeys(std::move(material), std::move(bundle));
}

SiteShareKeys::SiteShareKeys(std::unique_ptr<SiteMaterial> material, ShareBundle bundle)
    : material_(std::move(material)), bundle_(std::move(bundle)) {}
SiteShareKeys::SiteShareKeys(SiteShareKeys&&) noexcept = default;
SiteShareKeys& SiteShareKeys::operator=(SiteShareKeys&&) noexcept = default;
SiteShareKeys::~SiteShareKeys() = default;

std::vector<PeerStatement> SiteShareKeys::statements() const {
  std::vector<PeerStatement> statements;
  for (const ListedAdvertisement& entry : material_->list.entries) {
    if (entry.site == material_->self.index) continue;
    statements.push_back({entry.site, entry.advertisement.statement});
  }
  return statements;
}

Next<SiteMaskedInput> SiteShareKeys::OnShares(const ShareList& list) && {
  std::unique_ptr<SiteMaterial> material = std::move(material_);
  const AttemptSetup& setup = material->setup();
  const SiteIndex own = material->self.index;
  if (!IsAscending(list.entries, setup.sites(), [](const ListedShares& entry) { return entry.dealer; })) {
    return Because(FailureReason::kBadList);
  }
  if (list.entries.size() < setup.least_survivors()) return Because(FailureReason::kTooFewSites);
  const ListedShares own_entry = OwnEntry(bundle_, own);
  if (std::find(list.entries.begin(), list.entries.end(), own_entry) == list.entries.end()) {
    return Because(FailureReason::kNotIncluded);
  }
  for (const ListedShares& entry : list.entries) {
    const auto channel = material->channel_keys.find(entry.dealer);
    if (channel == material->channel_keys.end()) return Because(FailureReason::kForgedMember);
    material->participants.push_back(entry.dealer);
    Result<OpenedShares> opened = OpenShares(setup, channel->second, own, entry);
    if (opened.ok()) {
      material->held.emplace(entry.dealer, std::move(*opened));
    } else {
      material->complaints.push_back(entry.dealer);
    }
  }
  // With so many bad shares the attempt cannot complete: nothing of this site needs to leave it.
  if (material->complaints.size() > setup.sites() - setup.threshold()) {
    return Because(FailureReason::kUnusableShares);
  }
  material->channel_keys.clear();
  material->participants_hash = HashOfParticipants(material->list, material->participants);
  return SiteMaskedInput(std::move(material));
}

}  // namespace synod::secure_agg
