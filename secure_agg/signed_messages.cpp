#include "secure_agg/signed_messages.h"

#include "common/crypto/sha256.h"
#include "secure_agg/canonical_bytes.h"

namespace synod::secure_agg {
namespace {

CanonicalBytes Begin(const AttemptSetup& setup) {
  CanonicalBytes bytes;
  bytes.Name(setup.name()).Fixed(setup.hash());
  return bytes;
}

void AppendSites(CanonicalBytes& bytes, const std::vector<SiteIndex>& sites) {
  bytes.Number(sites.size());
  for (const SiteIndex site : sites) bytes.Number(site);
}

}  // namespace

ToSign ContentOf(const AttemptSetup& setup, SiteIndex site, const Advertisement& message) {
  CanonicalBytes bytes = Begin(setup);
  bytes.Number(site).Fixed(message.share_key).Fixed(message.mask_key).Variable(message.statement);
  return {"synod.secure_agg.advertisement", bytes.bytes()};
}

ToSign ContentOf(const AttemptSetup& setup, SiteIndex site, const ShareBundle& message) {
  CanonicalBytes bytes = Begin(setup);
  bytes.Number(site).Fixed(message.self_commitment).Number(message.shares.size());
  for (const DealtShares& dealt : message.shares) {
    bytes.Number(dealt.recipient).Fixed(dealt.sealed).Fixed(dealt.self_share_hash).Fixed(dealt.mask_share_hash);
  }
  return {"synod.secure_agg.share_bundle", bytes.bytes()};
}

ToSign ContentOf(const AttemptSetup& setup, SiteIndex site, const UploadEnd& message) {
  CanonicalBytes bytes = Begin(setup);
  bytes.Number(site).Number(setup.vector_bytes()).Fixed(message.tag_key).Fixed(message.tag);
  AppendSites(bytes, message.complaints);
  return {"synod.secure_agg.upload_end", bytes.bytes()};
}

ToSign ContentOf(const AttemptSetup& setup, const SurvivorStatement& statement) {
  CanonicalBytes bytes = Begin(setup);
  bytes.Fixed(setup.facts().plan_hash).Fixed(setup.facts().query_hash).Fixed(statement.participants);
  AppendSites(bytes, statement.survivors);
  return {"synod.secure_agg.survivors", bytes.bytes()};
}

Digest HashOfParticipants(const AdvertisementList& list, const std::vector<SiteIndex>& participants) {
  CanonicalBytes bytes("synod.secure_agg.participants");
  bytes.Number(list.entries.size());
  for (const ListedAdvertisement& entry : list.entries) {
    bytes.Number(entry.site).Fixed(entry.advertisement.share_key).Fixed(entry.advertisement.mask_key);
  }
  AppendSites(bytes, participants);
  return Sha256(bytes.bytes());
}

}  // namespace synod::secure_agg
