// What a site holds for one attempt and hands from phase to phase. For the .cpp files of the site's phases alone.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "common/crypto/secret_random.h"
#include "common/crypto/x25519.h"
#include "secure_agg/attempt_keys.h"
#include "secure_agg/site_phases.h"

namespace synod::secure_agg {

struct SiteMaterial {
  SiteMaterial(SiteSelf own, SecretRandom stream)
      : self(std::move(own)),
        random(std::move(stream)),
        share_key(AgreementKey::Generate(random)),
        mask_key(AgreementKey::Generate(random)) {}

  const AttemptSetup& setup() const { return *self.setup; }

  SiteSelf self;
  SecretRandom random;
  std::optional<AgreementKey> share_key;  // gone once the channels are there
  std::optional<AgreementKey> mask_key;   // gone once its shares are dealt
  Advertisement advertisement;
  AdvertisementList list;                         // U1
  std::map<SiteIndex, SecretBytes> channel_keys;  // of U1, this site included; gone once the shares are opened
  std::map<SiteIndex, SecretBytes> pair_seeds;    // of U1 without this site; gone once the vector is masked
  SecretBytes self_secret;                        // gone once the vector is masked
  std::vector<SiteIndex> participants;            // U2
  std::map<SiteIndex, OpenedShares> held;         // what U2 dealt to this site
  std::vector<SiteIndex> complaints;              // those of U2 whose shares are unusable
  Digest participants_hash{};
};

}  // namespace synod::secure_agg
