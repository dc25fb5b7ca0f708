// The phases after the vectors: one survivor set is signed, secrets are revealed and rebuilt, the masks come off.
#include <algorithm>
#include <utility>

#include "common/core/check.h"
#include "secure_agg/attempt_keys.h"
#include "secure_agg/mask_removal.h"
#include "secure_agg/server_record.h"
#include "secure_agg/signed_messages.h"
#include "secure_agg/site_lists.h"

namespace synod::secure_agg {
namespace {

using Verdict = Receipt::Verdict;

const DealtShares& DealtTo(const ServerRecord& record, SiteIndex dealer, SiteIndex holder) {
  const std::vector<DealtShares>& shares = record.bundles.at(dealer).shares;
  const auto place =
      std::lower_bound(shares.begin(), shares.end(), holder,
                       [](const DealtShares& dealt, SiteIndex wanted) { return dealt.recipient < wanted; });
  SYNOD_CHECK(place != shares.end() && place->recipient == holder, "a bundle has a share for every site of its list");
  return *place;
}

bool ComplainedAbout(const ServerRecord& record, SiteIndex dealer, SiteIndex holder) {
  const auto complaints = record.complaints.find(dealer);
  return complaints != record.complaints.end() && complaints->second.contains(holder);
}

// Which secret of a site the survivor set calls for.
SecretKind CalledFor(const ServerRecord& record, SiteIndex about) {
  return Contains(record.survivors, about) ? SecretKind::kSelfMask : SecretKind::kMaskKey;
}

std::optional<BlameReason> FaultOf(const ServerRecord& record, SiteIndex from, const Unmasking& message) {
  std::size_t next = 0;
  for (const SiteIndex about : record.participants) {
    const bool there = next < message.shares.size() && message.shares[next].about == about;
    if (!there && ComplainedAbout(record, about, from)) continue;
    if (!there || message.shares[next].kind != CalledFor(record, about)) return BlameReason::kWrongReveal;
    const RevealedShare& revealed = message.shares[next++];
    const DealtShares& dealt = DealtTo(record, about, from);
    const Digest& signed_hash = revealed.kind == SecretKind::kSelfMask ? dealt.self_share_hash : dealt.mask_share_hash;
    if (ShareHash(record.setup(), about, from, revealed.kind, revealed.share) != signed_hash ||
        !Share::FromBytes(revealed.share)) {
      return BlameReason::kBadShare;
    }
  }
  return next == message.shares.size() ? std::nullopt : std::optional(BlameReason::kWrongReveal);
}

}  // namespace

ServerConsistency::ServerConsistency(std::unique_ptr<ServerRecord> record) : record_(std::move(record)) {}
ServerConsistency::ServerConsistency(ServerConsistency&&) noexcept = default;
ServerConsistency& ServerConsistency::operator=(ServerConsistency&&) noexcept = default;
ServerConsistency::~ServerConsistency() = default;

SurvivorList ServerConsistency::list() const {
  return {record_->survivors};
}
const std::vector<SiteIndex>& ServerConsistency::survivors() const {
  return record_->survivors;
}

Receipt ServerConsistency::Add(SiteIndex from, const ConsistencySignature& message) {
  if (!Contains(record_->survivors, from)) return Receipt::Of(Verdict::kUnexpected);
  if (auto receipt = AgainstEarlier(record_->signatures, record_->out, from, message)) return *receipt;
  const ToSign content = ContentOf(record_->setup(), {record_->participants_hash, record_->survivors});
  if (!record_->setup().key_of(from).Verify(content.label, content.bytes, message.signature)) {
    record_->out.insert(from);
    return Receipt::Blamed(from, BlameReason::kBadSignature);
  }
  record_->signatures.emplace(from, message);
  return Receipt::Of(Verdict::kTaken);
}

bool ServerConsistency::HasAnswered(SiteIndex site) const {
  return record_->signatures.contains(site);
}

NextServer<ServerUnmask> ServerConsistency::Close() && {
  std::unique_ptr<ServerRecord> record = std::move(record_);
  if (record->signatures.size() < record->setup().threshold()) {
    return Failure{FailureReason::kTooFewSignatures, {}};
  }
  SignatureList list;
  for (const auto& [site, message] : record->signatures) list.entries.push_back({site, message.signature});
  record->out.clear();
  return ServerUnmask(std::move(record), std::move(list));
}

ServerUnmask::ServerUnmask(std::unique_ptr<ServerRecord> record, SignatureList list)
    : record_(std::move(record)), list_(std::move(list)) {}
ServerUnmask::ServerUnmask(ServerUnmask&&) noexcept = default;
ServerUnmask& ServerUnmask::operator=(ServerUnmask&&) noexcept = default;
ServerUnmask::~ServerUnmask() = default;

const std::vector<SiteIndex>& ServerUnmask::survivors() const {
  return record_->survivors;
}

std::vector<SiteIndex> ServerUnmask::signers() const {
  std::vector<SiteIndex> signers;
  for (const ListedSignature& entry : list_.entries) signers.push_back(entry.site);
  return signers;
}

Receipt ServerUnmask::Add(SiteIndex from, const Unmasking& message) {
  if (!record_->signatures.contains(from)) return Receipt::Of(Verdict::kUnexpected);
  if (auto receipt = AgainstEarlier(answers_, record_->out, from, message)) {
    if (receipt->verdict == Verdict::kBlamed) {
      for (auto& [about, by_holder] : shares_) by_holder.erase(from);
    }
    return *receipt;
  }
  if (const auto fault = FaultOf(*record_, from, message)) {
    record_->out.insert(from);
    return Receipt::Blamed(from, *fault);
  }
  for (const RevealedShare& revealed : message.shares) {
    shares_[revealed.about].emplace(from, *Share::FromBytes(revealed.share));
  }
  answers_.emplace(from, message);
  return Receipt::Of(Verdict::kTaken);
}

bool ServerUnmask::HasAnswered(SiteIndex site) const {
  return answers_.contains(site);
}

bool ServerUnmask::Ready() const {
  return std::all_of(record_->participants.begin(), record_->participants.end(), [&](SiteIndex about) {
    const auto shares = shares_.find(about);
    return shares != shares_.end() && shares->second.size() >= record_->setup().threshold();
  });
}

std::variant<OpenedSum, Failure> ServerUnmask::Open(unsigned threads) && {
  const std::unique_ptr<ServerRecord> record = std::move(record_);
  if (record == nullptr) return Failure{FailureReason::kTooFewShares, {}};
  std::variant<std::vector<Mask>, Failure> masks = MasksToRemove(*record, shares_);
  shares_.clear();
  if (const Failure* failure = std::get_if<Failure>(&masks)) return *failure;
  const WordBits bits = record->setup().facts().bits;
  AddMasks(record->accumulator, std::get<std::vector<Mask>>(masks), bits, threads);
  return OpenedSum(std::move(record->accumulator), bits, static_cast<std::uint32_t>(record->survivors.size()));
}

}  // namespace synod::secure_agg
