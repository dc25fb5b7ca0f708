// The phase of the vectors: each is collected in a slot and added when it is complete and its tag and signature are
// right.
#include <algorithm>
#include <utility>

#include "common/core/check.h"
#include "secure_agg/mask_stream.h"
#include "secure_agg/server_record.h"
#include "secure_agg/signed_messages.h"
#include "secure_agg/site_lists.h"

namespace synod::secure_agg {
namespace {

using Verdict = Receipt::Verdict;

// Short vectors are collected from many sites at once; of long ones there are two beside the accumulator.
constexpr std::uint64_t kBytesOfManySlots = 8u << 20;
constexpr std::uint64_t kLeastSlots = 2;

std::size_t NumberOfSlots(const ServerRecord& record) {
  const std::uint64_t many = kBytesOfManySlots / record.setup().vector_bytes();
  return std::min<std::size_t>(std::max(kLeastSlots, many), record.participants.size());
}

bool ComplaintsAreValid(const ServerRecord& record, SiteIndex from, const std::vector<SiteIndex>& complaints) {
  return IsAscending(complaints, record.setup().sites()) && IsSubset(complaints, record.participants) &&
         !Contains(complaints, from);
}

}  // namespace

ServerMaskedInput::ServerMaskedInput(std::unique_ptr<ServerRecord> record) : record_(std::move(record)) {
  waiting_.assign(record_->participants.begin(), record_->participants.end());
  FillSlots();
}
ServerMaskedInput::ServerMaskedInput(ServerMaskedInput&&) noexcept = default;
ServerMaskedInput& ServerMaskedInput::operator=(ServerMaskedInput&&) noexcept = default;
ServerMaskedInput::~ServerMaskedInput() = default;

const std::vector<SiteIndex>& ServerMaskedInput::sites() const {
  return record_->participants;
}

ShareList ServerMaskedInput::ListFor(SiteIndex site) const {
  ShareList list;
  for (const auto& [dealer, bundle] : record_->bundles) {
    const auto dealt =
        std::lower_bound(bundle.shares.begin(), bundle.shares.end(), site,
                         [](const DealtShares& shares, SiteIndex wanted) { return shares.recipient < wanted; });
    SYNOD_CHECK(dealt != bundle.shares.end() && dealt->recipient == site, "a list for a site outside of it");
    list.entries.push_back({dealer, dealt->sealed, dealt->self_share_hash, dealt->mask_share_hash});
  }
  return list;
}

std::vector<Grant> ServerMaskedInput::TakeGrants() {
  return std::exchange(grants_, {});
}

std::optional<std::size_t> ServerMaskedInput::SlotOf(SiteIndex site) const {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (in_use_[i] && slots_[i].site() == site) return i;
  }
  return std::nullopt;
}

bool ServerMaskedInput::IsUploading(SiteIndex site) const {
  return SlotOf(site).has_value();
}

std::optional<Grant> ServerMaskedInput::GrantOf(SiteIndex site) const {
  const std::optional<std::size_t> slot = SlotOf(site);
  if (!slot) return std::nullopt;
  return Grant{site, slots_[*slot].next_chunk()};
}

void ServerMaskedInput::FillSlots() {
  while (!waiting_.empty()) {
    const auto free = std::find(in_use_.begin(), in_use_.end(), false);
    if (free == in_use_.end() && slots_.size() == NumberOfSlots(*record_)) return;
    const SiteIndex site = waiting_.front();
    waiting_.pop_front();
    if (free == in_use_.end()) {
      slots_.emplace_back(record_->setup().vector_bytes(), site);
      in_use_.push_back(true);
    } else {
      *free = true;
      slots_[static_cast<std::size_t>(free - in_use_.begin())].Reset(site);
    }
    grants_.push_back({site, 0});
  }
}

void ServerMaskedInput::Leave(SiteIndex site) {
  std::erase(waiting_, site);
  std::erase_if(grants_, [&](const Grant& grant) { return grant.site == site; });
  if (const std::optional<std::size_t> slot = SlotOf(site)) in_use_[*slot] = false;
  FillSlots();
}

void ServerMaskedInput::Evict(SiteIndex site) {
  const std::optional<std::size_t> slot = SlotOf(site);
  if (!slot || waiting_.empty()) return;
  in_use_[*slot] = false;
  waiting_.push_back(site);
  FillSlots();
}

Receipt ServerMaskedInput::Exclude(SiteIndex site, BlameReason reason) {
  out_.insert(site);
  Leave(site);
  return Receipt::Blamed(site, reason);
}

Receipt ServerMaskedInput::AddChunk(SiteIndex from, std::uint32_t index, ByteView words) {
  if (ends_.contains(from)) return Receipt::Of(Verdict::kRepeated);
  const std::optional<std::size_t> slot = SlotOf(from);
  if (!slot) return Receipt::Of(Verdict::kUnexpected);
  switch (slots_[*slot].Take(index, words)) {
    case UploadSlot::Taken::kYes:
      return Receipt::Of(Verdict::kTaken);
    case UploadSlot::Taken::kRepeated:
      return Receipt::Of(Verdict::kRepeated);
    case UploadSlot::Taken::kAhead:
      return Receipt::Of(Verdict::kUnexpected);
    case UploadSlot::Taken::kWrongLength:
      break;
  }
  return Exclude(from, BlameReason::kWrongLength);
}

Receipt ServerMaskedInput::AddEnd(SiteIndex from, const UploadEnd& message) {
  if (out_.contains(from)) return Receipt::Of(Verdict::kUnexpected);
  if (const auto earlier = ends_.find(from); earlier != ends_.end()) {
    // The vector is in the sum and stays there.
    return earlier->second == message ? Receipt::Of(Verdict::kRepeated) : Receipt::Blamed(from, BlameReason::kConflict);
  }
  const std::optional<std::size_t> slot = SlotOf(from);
  if (!slot) return Receipt::Of(Verdict::kUnexpected);
  if (!slots_[*slot].complete()) {
    grants_.push_back({from, slots_[*slot].next_chunk()});
    return Receipt::Of(Verdict::kUnexpected);
  }
  if (!ComplaintsAreValid(*record_, from, message.complaints)) return Exclude(from, BlameReason::kMalformed);
  if (!IsSignedBySite(record_->setup(), from, message)) return Exclude(from, BlameReason::kBadSignature);
  if (!slots_[*slot].Matches(message.tag_key, message.tag)) return Exclude(from, BlameReason::kWrongTag);
  record_->accumulator.resize(record_->setup().vector_bytes());
  AddWordsInPlace(record_->accumulator, slots_[*slot].words(), record_->setup().facts().bits);
  ends_.emplace(from, message);
  for (const SiteIndex dealer : message.complaints) record_->complaints[dealer].insert(from);
  Leave(from);
  return Receipt::Of(Verdict::kTaken);
}

std::vector<Blame> ServerMaskedInput::ProvenByComplaints() const {
  std::vector<Blame> blames;
  for (const auto& [dealer, by] : record_->complaints) {
    // A single site may lie also where nobody is expected to collude.
    if (by.size() > std::max(record_->setup().facts().max_colluding, 1u))
      blames.push_back({dealer, BlameReason::kBadShares});
  }
  return blames;
}

bool ServerMaskedInput::HasAnswered(SiteIndex site) const {
  return ends_.contains(site);
}

NextServer<ServerConsistency> ServerMaskedInput::Close() && {
  std::unique_ptr<ServerRecord> record = std::move(record_);
  if (ends_.size() < record->setup().least_survivors()) return Failure{FailureReason::kBelowQuorum, {}};
  for (const auto& [site, end] : ends_) record->survivors.push_back(site);
  slots_.clear();
  record->out.clear();
  return ServerConsistency(std::move(record));
}

}  // namespace synod::secure_agg
