// Keys, seeds and hashes of one attempt. Each is derived under a label of its own together with run, query, attempt,
// the set-up's hash and the sites that it belongs to: none is ever the same in another attempt, for another pair or for
// another purpose. Threads: free functions without state.
#pragma once

#include "common/core/result.h"
#include "common/crypto/x25519.h"
#include "secure_agg/attempt_setup.h"
#include "secure_agg/messages.h"
#include "secure_agg/shamir.h"

namespace synod::secure_agg {

// Of the masks between two sites; the same for both. BadInput where the peer's key is of small order.
Result<SecretBytes> PairSeed(const AttemptSetup& setup, const AgreementKey& own, SiteIndex own_site,
                             const MaskKey& peer, SiteIndex peer_site);
// Seals the shares that two sites deal to each other; the same for both.
Result<SecretBytes> ShareChannelKey(const AttemptSetup& setup, const AgreementKey& own, SiteIndex own_site,
                                    const ShareKey& peer, SiteIndex peer_site);
// Of a site's self mask, from its self secret.
SecretBytes SelfSeed(const AttemptSetup& setup, SiteIndex site, const SecretBytes& self_secret);

Digest SelfCommitment(const AttemptSetup& setup, SiteIndex site, const SecretBytes& self_secret);
// Holds dealer and holder to a share. The share has 305 bits that nobody else can guess, so the hash does not give it
// away.
Digest ShareHash(const AttemptSetup& setup, SiteIndex dealer, SiteIndex holder, SecretKind kind, ByteView share);

// The two shares that `dealer` has for `recipient`, bound to both and to the hashes.
SealedShares SealShares(const AttemptSetup& setup, const SecretBytes& channel_key, SiteIndex dealer,
                        const DealtShares& dealt, const Share& self_share, const Share& mask_share);

struct OpenedShares {
  Share self_share;
  Share mask_share;
};
// VerificationFailed unless the text is the dealer's, unchanged, and has the shares that the hashes say.
Result<OpenedShares> OpenShares(const AttemptSetup& setup, const SecretBytes& channel_key, SiteIndex recipient,
                                const ListedShares& listed);

// Where the shares of `site` lie: never zero.
inline std::uint32_t PointOf(SiteIndex site) {
  return site + 1;
}

}  // namespace synod::secure_agg
