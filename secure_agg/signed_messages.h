// What sites sign, and who may have signed it. Every signature is over a label for its kind of message, run, query,
// attempt, the set-up's hash, the site and the whole content: it is worth nothing anywhere else.
// Threads: free functions without state.
#pragma once

#include <string_view>
#include <vector>

#include "common/crypto/ed25519.h"
#include "secure_agg/attempt_setup.h"
#include "secure_agg/messages.h"

namespace synod::secure_agg {

// Bytes that a site signs, with the label that they are signed under.
struct ToSign {
  std::string_view label;
  Bytes bytes;
};

ToSign ContentOf(const AttemptSetup& setup, SiteIndex site, const Advertisement& message);
ToSign ContentOf(const AttemptSetup& setup, SiteIndex site, const ShareBundle& message);
ToSign ContentOf(const AttemptSetup& setup, SiteIndex site, const UploadEnd& message);

// What all signers of a survivor set must agree on; the same bytes for every signer.
struct SurvivorStatement {
  Digest participants{};             // HashOfParticipants: of U1's keys and U2
  std::vector<SiteIndex> survivors;  // U3
};
ToSign ContentOf(const AttemptSetup& setup, const SurvivorStatement& statement);
Digest HashOfParticipants(const AdvertisementList& list, const std::vector<SiteIndex>& participants);

template <typename Message>
Signature SignatureOf(const AttemptSetup& setup, SiteIndex site, const Message& message, const SigningKey& key) {
  const ToSign content = ContentOf(setup, site, message);
  return key.Sign(content.label, content.bytes);
}

template <typename Message>
bool IsSignedBySite(const AttemptSetup& setup, SiteIndex site, const Message& message) {
  const ToSign content = ContentOf(setup, site, message);
  return setup.key_of(site).Verify(content.label, content.bytes, message.signature);
}

}  // namespace synod::secure_agg
