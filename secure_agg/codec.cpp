#include "secure_agg/codec.h"

#include <fmt/format.h>
#include <secure_agg_generated/secure_agg.pb.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "common/core/check.h"
#include "secure_agg/site_lists.h"

namespace synod::secure_agg {
namespace {

// ---- writing ----

template <std::size_t kSize>
std::string Raw(const std::array<std::uint8_t, kSize>& bytes) {
  return std::string(AsText(bytes));
}

void Fill(const QueryName& name, proto::Name& out) {
  out.set_run(Raw(name.run.bytes));
  out.set_query(name.query);
  out.set_attempt(name.attempt);
}

void Fill(const Advertisement& message, proto::Advertisement& out) {
  out.set_share_key(Raw(message.share_key));
  out.set_mask_key(Raw(message.mask_key));
  out.set_statement(std::string(AsText(message.statement)));
  out.set_signature(Raw(message.signature));
}

void Fill(const ShareBundle& message, proto::ShareBundle& out) {
  out.set_self_commitment(Raw(message.self_commitment));
  for (const DealtShares& dealt : message.shares) {
    proto::DealtShares& entry = *out.add_shares();
    entry.set_recipient(dealt.recipient);
    entry.set_sealed(Raw(dealt.sealed));
    entry.set_self_share_hash(Raw(dealt.self_share_hash));
    entry.set_mask_share_hash(Raw(dealt.mask_share_hash));
  }
  out.set_signature(Raw(message.signature));
}

void Fill(const UploadEnd& message, proto::UploadEnd& out) {
  out.set_tag_key(Raw(message.tag_key));
  out.set_tag(Raw(message.tag));
  for (const SiteIndex site : message.complaints) out.add_complaints(site);
  out.set_signature(Raw(message.signature));
}

void Fill(const ConsistencySignature& message, proto::ConsistencySignature& out) {
  out.set_signature(Raw(message.signature));
}

void Fill(const Unmasking& message, proto::Unmasking& out) {
  for (const RevealedShare& revealed : message.shares) {
    proto::RevealedShare& entry = *out.add_shares();
    entry.set_about(revealed.about);
    entry.set_kind(static_cast<std::uint32_t>(revealed.kind));
    entry.set_share(Raw(revealed.share));
  }
}

void Fill(const AdvertisementList& message, proto::AdvertisementList& out) {
  for (const ListedAdvertisement& listed : message.entries) {
    proto::ListedAdvertisement& entry = *out.add_entries();
    entry.set_site(listed.site);
    Fill(listed.advertisement, *entry.mutable_advertisement());
  }
}

void Fill(const ShareList& message, proto::ShareList& out) {
  for (const ListedShares& listed : message.entries) {
    proto::ListedShares& entry = *out.add_entries();
    entry.set_dealer(listed.dealer);
    entry.set_sealed(Raw(listed.sealed));
    entry.set_self_share_hash(Raw(listed.self_share_hash));
    entry.set_mask_share_hash(Raw(listed.mask_share_hash));
  }
}

void Fill(const UploadGrant& message, proto::UploadGrant& out) {
  out.set_next_chunk(message.next_chunk);
}

void Fill(const SurvivorList& message, proto::SurvivorList& out) {
  for (const SiteIndex site : message.survivors) out.add_survivors(site);
}

void Fill(const SignatureList& message, proto::SignatureList& out) {
  for (const ListedSignature& listed : message.entries) {
    proto::ListedSignature& entry = *out.add_entries();
    entry.set_site(listed.site);
    entry.set_signature(Raw(listed.signature));
  }
}

struct SiteFiller {
  proto::SiteMessage& out;
  void operator()(const Advertisement& body) const { Fill(body, *out.mutable_advertisement()); }
  void operator()(const ShareBundle& body) const { Fill(body, *out.mutable_share_bundle()); }
  void operator()(const UploadEnd& body) const { Fill(body, *out.mutable_upload_end()); }
  void operator()(const ConsistencySignature& body) const { Fill(body, *out.mutable_consistency_signature()); }
  void operator()(const Unmasking& body) const { Fill(body, *out.mutable_unmasking()); }
};

struct CoordinatorFiller {
  proto::CoordinatorMessage& out;
  void operator()(const AdvertisementList& body) const { Fill(body, *out.mutable_advertisement_list()); }
  void operator()(const ShareList& body) const { Fill(body, *out.mutable_share_list()); }
  void operator()(const UploadGrant& body) const { Fill(body, *out.mutable_upload_grant()); }
  void operator()(const SurvivorList& body) const { Fill(body, *out.mutable_survivor_list()); }
  void operator()(const SignatureList& body) const { Fill(body, *out.mutable_signature_list()); }
  void operator()(const AttemptClosed&) const { static_cast<void>(out.mutable_attempt_closed()); }
};

Bytes Serialized(const google::protobuf::MessageLite& message) {
  Bytes bytes(message.ByteSizeLong());
  const bool ok = message.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
  SYNOD_CHECK(ok, "a message of known size did not fit its buffer");
  return bytes;
}

// ---- reading ----

// Copies fields and keeps the first thing that is wrong with them.
class Reader {
 public:
  explicit Reader(std::string_view message) : message_(message) {}

  template <std::size_t kSize>
  void Fixed(std::string_view field, const std::string& raw, std::array<std::uint8_t, kSize>& out) {
    if (raw.size() != kSize) return Fail(field, "has the wrong length");
    std::copy(raw.begin(), raw.end(), out.begin());
  }
  void Require(std::string_view field, bool condition, std::string_view rule) {
    if (!condition) Fail(field, rule);
  }
  // A list of sites: `place` gives the site of an element.
  template <typename Entries, typename Place>
  void List(std::string_view field, const Entries& entries, Place place) {
    if (entries.size() > AttemptSetup::kMaxSites) return Fail(field, "is too long");
    Require(field, IsAscending(entries, AttemptSetup::kMaxSites, place), "is not a list of sites in ascending order");
  }
  void Sites(std::string_view field, const google::protobuf::RepeatedField<std::uint32_t>& raw,
             std::vector<SiteIndex>& out) {
    if (raw.size() > static_cast<int>(AttemptSetup::kMaxSites)) return Fail(field, "is too long");
    out.assign(raw.begin(), raw.end());
    List(field, out, [](SiteIndex site) { return site; });
  }

  void Read(const proto::Name& in, QueryName& out) {
    Fixed("name.run", in.run(), out.run.bytes);
    out.query = in.query();
    out.attempt = in.attempt();
  }
  void Read(const proto::Advertisement& in, Advertisement& out) {
    Fixed("share_key", in.share_key(), out.share_key);
    Fixed("mask_key", in.mask_key(), out.mask_key);
    Require("statement", in.statement().size() <= kMaxStatementBytes, "is too long");
    out.statement.assign(in.statement().begin(), in.statement().end());
    Fixed("signature", in.signature(), out.signature);
  }
  void Read(const proto::ShareBundle& in, ShareBundle& out);
  void Read(const proto::UploadEnd& in, UploadEnd& out) {
    Fixed("tag_key", in.tag_key(), out.tag_key);
    Fixed("tag", in.tag(), out.tag);
    Sites("complaints", in.complaints(), out.complaints);
    Fixed("signature", in.signature(), out.signature);
  }
  void Read(const proto::ConsistencySignature& in, ConsistencySignature& out) {
    Fixed("signature", in.signature(), out.signature);
  }
  void Read(const proto::Unmasking& in, Unmasking& out);
  void Read(const proto::AdvertisementList& in, AdvertisementList& out);
  void Read(const proto::ShareList& in, ShareList& out);
  void Read(const proto::UploadGrant& in, UploadGrant& out) { out.next_chunk = in.next_chunk(); }
  void Read(const proto::SurvivorList& in, SurvivorList& out) { Sites("survivors", in.survivors(), out.survivors); }
  void Read(const proto::SignatureList& in, SignatureList& out);

  template <typename Body, typename Proto, typename Message>
  void Into(const Proto& in, Message& out) {
    Body body;
    Read(in, body);
    out.body = std::move(body);
  }
  // Of a body that is there in any case.
  template <typename Message>
  Result<Message> Done(Message message) const {
    if (error_) return *error_;
    return message;
  }
  void Fail(std::string_view field, std::string_view rule) {
    if (!error_) error_ = BadInput(fmt::format("{} message: {} {}", message_, field, rule));
  }

 private:
  std::string_view message_;
  std::optional<Error> error_;
};

void Reader::Read(const proto::ShareBundle& in, ShareBundle& out) {
  Fixed("self_commitment", in.self_commitment(), out.self_commitment);
  for (const proto::DealtShares& entry : in.shares()) {
    DealtShares dealt;
    dealt.recipient = entry.recipient();
    Fixed("shares.sealed", entry.sealed(), dealt.sealed);
    Fixed("shares.self_share_hash", entry.self_share_hash(), dealt.self_share_hash);
    Fixed("shares.mask_share_hash", entry.mask_share_hash(), dealt.mask_share_hash);
    out.shares.push_back(dealt);
  }
  List("shares", out.shares, [](const DealtShares& dealt) { return dealt.recipient; });
  Fixed("signature", in.signature(), out.signature);
}

void Reader::Read(const proto::Unmasking& in, Unmasking& out) {
  for (const proto::RevealedShare& entry : in.shares()) {
    RevealedShare revealed;
    revealed.about = entry.about();
    Require("shares.kind", entry.kind() == 1 || entry.kind() == 2, "is not one of the known values");
    revealed.kind = entry.kind() == 1 ? SecretKind::kSelfMask : SecretKind::kMaskKey;
    Fixed("shares.share", entry.share(), revealed.share);
    out.shares.push_back(revealed);
  }
  List("shares", out.shares, [](const RevealedShare& revealed) { return revealed.about; });
}

void Reader::Read(const proto::AdvertisementList& in, AdvertisementList& out) {
  for (const proto::ListedAdvertisement& entry : in.entries()) {
    ListedAdvertisement listed;
    listed.site = entry.site();
    Require("entries.advertisement", entry.has_advertisement(), "is missing");
    Read(entry.advertisement(), listed.advertisement);
    out.entries.push_back(std::move(listed));
  }
  List("entries", out.entries, [](const ListedAdvertisement& listed) { return listed.site; });
}

void Reader::Read(const proto::ShareList& in, ShareList& out) {
  for (const proto::ListedShares& entry : in.entries()) {
    ListedShares listed;
    listed.dealer = entry.dealer();
    Fixed("entries.sealed", entry.sealed(), listed.sealed);
    Fixed("entries.self_share_hash", entry.self_share_hash(), listed.self_share_hash);
    Fixed("entries.mask_share_hash", entry.mask_share_hash(), listed.mask_share_hash);
    out.entries.push_back(listed);
  }
  List("entries", out.entries, [](const ListedShares& listed) { return listed.dealer; });
}

void Reader::Read(const proto::SignatureList& in, SignatureList& out) {
  for (const proto::ListedSignature& entry : in.entries()) {
    ListedSignature listed;
    listed.site = entry.site();
    Fixed("entries.signature", entry.signature(), listed.signature);
    out.entries.push_back(listed);
  }
  List("entries", out.entries, [](const ListedSignature& listed) { return listed.site; });
}

Result<SiteMessage> FromProto(const proto::SiteMessage& in) {
  Reader reader("site");
  SiteMessage out;
  reader.Require("name", in.has_name(), "is missing");
  reader.Read(in.name(), out.name);
  switch (in.body_case()) {
    case proto::SiteMessage::kAdvertisement:
      reader.Into<Advertisement>(in.advertisement(), out);
      break;
    case proto::SiteMessage::kShareBundle:
      reader.Into<ShareBundle>(in.share_bundle(), out);
      break;
    case proto::SiteMessage::kUploadEnd:
      reader.Into<UploadEnd>(in.upload_end(), out);
      break;
    case proto::SiteMessage::kConsistencySignature:
      reader.Into<ConsistencySignature>(in.consistency_signature(), out);
      break;
    case proto::SiteMessage::kUnmasking:
      reader.Into<Unmasking>(in.unmasking(), out);
      break;
    case proto::SiteMessage::BODY_NOT_SET:
      reader.Fail("body", "is missing");
      break;
  }
  return reader.Done(std::move(out));
}

Result<CoordinatorMessage> FromProto(const proto::CoordinatorMessage& in) {
  Reader reader("coordinator");
  CoordinatorMessage out;
  reader.Require("name", in.has_name(), "is missing");
  reader.Read(in.name(), out.name);
  switch (in.body_case()) {
    case proto::CoordinatorMessage::kAdvertisementList:
      reader.Into<AdvertisementList>(in.advertisement_list(), out);
      break;
    case proto::CoordinatorMessage::kShareList:
      reader.Into<ShareList>(in.share_list(), out);
      break;
    case proto::CoordinatorMessage::kUploadGrant:
      reader.Into<UploadGrant>(in.upload_grant(), out);
      break;
    case proto::CoordinatorMessage::kSurvivorList:
      reader.Into<SurvivorList>(in.survivor_list(), out);
      break;
    case proto::CoordinatorMessage::kSignatureList:
      reader.Into<SignatureList>(in.signature_list(), out);
      break;
    case proto::CoordinatorMessage::kAttemptClosed:
      out.body = AttemptClosed{};
      break;
    case proto::CoordinatorMessage::BODY_NOT_SET:
      reader.Fail("body", "is missing");
      break;
  }
  return reader.Done(std::move(out));
}

template <typename Message, typename Proto>
Result<Message> Decode(ByteView bytes, std::size_t most_bytes) {
  Proto form;
  if (bytes.size() > most_bytes || !form.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return BadInput("a message of secure aggregation that cannot be parsed");
  }
  SYNOD_ASSIGN_OR_RETURN(Message message, FromProto(form));
  const Bytes again = Encode(message);
  if (!std::equal(again.begin(), again.end(), bytes.begin(), bytes.end())) {
    return BadInput("a message of secure aggregation that is not in its one encoding");
  }
  return message;
}

}  // namespace

std::string_view BodyName(const SiteBody& body) {
  static constexpr std::array<std::string_view, std::variant_size_v<SiteBody>> kNames = {
      "advertisement", "share_bundle", "upload_end", "consistency_signature", "unmasking"};
  return kNames[body.index()];
}

std::string_view BodyName(const CoordinatorBody& body) {
  static constexpr std::array<std::string_view, std::variant_size_v<CoordinatorBody>> kNames = {
      "advertisement_list", "share_list", "upload_grant", "survivor_list", "signature_list", "attempt_closed"};
  return kNames[body.index()];
}

Bytes Encode(const SiteMessage& message) {
  proto::SiteMessage form;
  Fill(message.name, *form.mutable_name());
  std::visit(SiteFiller{form}, message.body);
  return Serialized(form);
}

Bytes Encode(const CoordinatorMessage& message) {
  proto::CoordinatorMessage form;
  Fill(message.name, *form.mutable_name());
  std::visit(CoordinatorFiller{form}, message.body);
  return Serialized(form);
}

Result<SiteMessage> DecodeSiteMessage(ByteView bytes) {
  return Decode<SiteMessage, proto::SiteMessage>(bytes, kMaxSiteMessageBytes);
}

Result<CoordinatorMessage> DecodeCoordinatorMessage(ByteView bytes) {
  return Decode<CoordinatorMessage, proto::CoordinatorMessage>(bytes, kMaxCoordinatorMessageBytes);
}

}  // namespace synod::secure_agg
