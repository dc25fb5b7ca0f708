#include "secure_agg/attempt_keys.h"

#include <algorithm>

#include "common/crypto/aes_gcm.h"
#include "common/crypto/hkdf.h"
#include "common/crypto/sha256.h"
#include "secure_agg/canonical_bytes.h"

namespace synod::secure_agg {
namespace {

static_assert(kShareBytes == Share::kBytes && kSealedBytes == 2 * Share::kBytes + kGcmTagBytes);
static_assert(AttemptSetup::kMaxSites <= 255, "points of shares fit a byte");

CanonicalBytes Labelled(std::string_view label, const AttemptSetup& setup) {
  CanonicalBytes bytes(label);
  bytes.Name(setup.name()).Fixed(setup.hash());
  return bytes;
}

SecretBytes Derive(std::string_view label, const AttemptSetup& setup, const SecretBytes& secret, SiteIndex a,
                   SiteIndex b) {
  CanonicalBytes info = Labelled(label, setup);
  info.Number(std::min(a, b)).Number(std::max(a, b));
  return HkdfSha256(secret.view(), setup.hash(), info.bytes(), AesCtrStream::kKeyBytes);
}

// One text in each direction under each key.
GcmNonce NonceOf(SiteIndex dealer) {
  GcmNonce nonce{};
  nonce[0] = static_cast<std::uint8_t>(dealer);
  return nonce;
}

Bytes AssociatedBytes(const AttemptSetup& setup, SiteIndex dealer, SiteIndex recipient, const Digest& self_hash,
                      const Digest& mask_hash) {
  CanonicalBytes bytes = Labelled("synod.secure_agg.sealed", setup);
  bytes.Number(dealer).Number(recipient).Fixed(self_hash).Fixed(mask_hash);
  return bytes.bytes();
}

}  // namespace

Result<SecretBytes> PairSeed(const AttemptSetup& setup, const AgreementKey& own, SiteIndex own_site,
                             const MaskKey& peer, SiteIndex peer_site) {
  SYNOD_ASSIGN_OR_RETURN(const SecretBytes secret, own.Agree(peer));
  return Derive("synod.secure_agg.pair_mask", setup, secret, own_site, peer_site);
}

Result<SecretBytes> ShareChannelKey(const AttemptSetup& setup, const AgreementKey& own, SiteIndex own_site,
                                    const ShareKey& peer, SiteIndex peer_site) {
  SYNOD_ASSIGN_OR_RETURN(const SecretBytes secret, own.Agree(peer));
  return Derive("synod.secure_agg.share_channel", setup, secret, own_site, peer_site);
}

SecretBytes SelfSeed(const AttemptSetup& setup, SiteIndex site, const SecretBytes& self_secret) {
  return Derive("synod.secure_agg.self_mask", setup, self_secret, site, site);
}

Digest SelfCommitment(const AttemptSetup& setup, SiteIndex site, const SecretBytes& self_secret) {
  Sha256Hasher hasher;
  hasher.Update(Labelled("synod.secure_agg.self_commitment", setup).Number(site).bytes());
  hasher.Update(self_secret.view());
  return hasher.Finish();
}

Digest ShareHash(const AttemptSetup& setup, SiteIndex dealer, SiteIndex holder, SecretKind kind, ByteView share) {
  CanonicalBytes head = Labelled("synod.secure_agg.share", setup);
  head.Number(dealer).Number(holder).Number(static_cast<std::uint64_t>(kind));
  Sha256Hasher hasher;
  hasher.Update(head.bytes());
  hasher.Update(share);
  return hasher.Finish();
}

SealedShares SealShares(const AttemptSetup& setup, const SecretBytes& channel_key, SiteIndex dealer,
                        const DealtShares& dealt, const Share& self_share, const Share& mask_share) {
  SecretBytes plain(2 * kShareBytes);
  std::copy(self_share.bytes().begin(), self_share.bytes().end(), plain.bytes().begin());
  std::copy(mask_share.bytes().begin(), mask_share.bytes().end(), plain.bytes().begin() + kShareBytes);
  const Bytes bound = AssociatedBytes(setup, dealer, dealt.recipient, dealt.self_share_hash, dealt.mask_share_hash);
  const Bytes text = GcmSeal(channel_key.view(), NonceOf(dealer), bound, plain.view());
  SealedShares sealed{};
  SYNOD_CHECK(text.size() == sealed.size(), "sealed shares have one size");
  std::copy(text.begin(), text.end(), sealed.begin());
  return sealed;
}

Result<OpenedShares> OpenShares(const AttemptSetup& setup, const SecretBytes& channel_key, SiteIndex recipient,
                                const ListedShares& listed) {
  const Bytes bound = AssociatedBytes(setup, listed.dealer, recipient, listed.self_share_hash, listed.mask_share_hash);
  SYNOD_ASSIGN_OR_RETURN(const SecretBytes plain,
                         GcmOpen(channel_key.view(), NonceOf(listed.dealer), bound, listed.sealed));
  const ByteView self = plain.view().first(kShareBytes);
  const ByteView mask = plain.view().subspan(kShareBytes);
  std::optional<Share> self_share = Share::FromBytes(self);
  std::optional<Share> mask_share = Share::FromBytes(mask);
  const Digest self_hash = ShareHash(setup, listed.dealer, recipient, SecretKind::kSelfMask, self);
  const Digest mask_hash = ShareHash(setup, listed.dealer, recipient, SecretKind::kMaskKey, mask);
  if (!self_share || !mask_share || self_hash != listed.self_share_hash || mask_hash != listed.mask_share_hash) {
    return VerificationFailed("dealt shares are not those that their dealer signed");
  }
  return OpenedShares{std::move(*self_share), std::move(*mask_share)};
}

}  // namespace synod::secure_agg
