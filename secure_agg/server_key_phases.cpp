// The phases before the vectors: keys are collected and listed, shares are passed on.
#include <algorithm>
#include <utility>

#include "common/core/check.h"
#include "common/crypto/x25519.h"
#include "secure_agg/server_record.h"
#include "secure_agg/signed_messages.h"
#include "secure_agg/site_lists.h"

namespace synod::secure_agg {
namespace {

using Verdict = Receipt::Verdict;

std::optional<BlameReason> FaultOf(const ServerRecord& record, SiteIndex from, const Advertisement& message) {
  if (message.statement.size() > kMaxStatementBytes) return BlameReason::kMalformed;
  if (!IsSignedBySite(record.setup(), from, message)) return BlameReason::kBadSignature;
  if (message.share_key == message.mask_key) return BlameReason::kWeakKey;
  if (IsSmallOrder(message.share_key) || IsSmallOrder(message.mask_key)) return BlameReason::kWeakKey;
  for (const auto& [site, other] : record.advertisements) {
    for (const AgreementKey::Public& key : {message.share_key, message.mask_key}) {
      if (key == other.share_key || key == other.mask_key) return BlameReason::kWeakKey;
    }
  }
  return std::nullopt;
}

std::optional<BlameReason> FaultOf(const ServerRecord& record, SiteIndex from, const ShareBundle& message) {
  const auto& listed = record.list.entries;
  const bool one_for_each = std::equal(
      message.shares.begin(), message.shares.end(), listed.begin(), listed.end(),
      [](const DealtShares& dealt, const ListedAdvertisement& entry) { return dealt.recipient == entry.site; });
  if (!one_for_each) return BlameReason::kMalformed;
  if (!IsSignedBySite(record.setup(), from, message)) return BlameReason::kBadSignature;
  return std::nullopt;
}

Receipt Exclude(ServerRecord& record, SiteIndex site, BlameReason reason) {
  record.out.insert(site);
  return Receipt::Blamed(site, reason);
}

}  // namespace

ServerAdvertise::ServerAdvertise(std::shared_ptr<const AttemptSetup> setup)
    : record_(std::make_unique<ServerRecord>(std::move(setup))) {}
ServerAdvertise::ServerAdvertise(ServerAdvertise&&) noexcept = default;
ServerAdvertise& ServerAdvertise::operator=(ServerAdvertise&&) noexcept = default;
ServerAdvertise::~ServerAdvertise() = default;

Receipt ServerAdvertise::Add(SiteIndex from, const Advertisement& message) {
  if (from >= record_->setup().sites()) return Receipt::Of(Verdict::kUnexpected);
  if (auto receipt = AgainstEarlier(record_->advertisements, record_->out, from, message)) return *receipt;
  if (const auto fault = FaultOf(*record_, from, message)) return Exclude(*record_, from, *fault);
  record_->advertisements.emplace(from, message);
  return Receipt::Of(Verdict::kTaken);
}

bool ServerAdvertise::HasAnswered(SiteIndex site) const {
  return record_->advertisements.contains(site);
}

NextServer<ServerShareKeys> ServerAdvertise::Close() && {
  std::unique_ptr<ServerRecord> record = std::move(record_);
  if (record->advertisements.size() < record->setup().least_survivors()) {
    return Failure{FailureReason::kTooFewSites, {}};
  }
  for (auto& [site, advertisement] : record->advertisements) {
    record->list.entries.push_back({site, std::move(advertisement)});
  }
  record->advertisements.clear();
  record->out.clear();
  return ServerShareKeys(std::move(record));
}

ServerShareKeys::ServerShareKeys(std::unique_ptr<ServerRecord> record) : record_(std::move(record)) {}
ServerShareKeys::ServerShareKeys(ServerShareKeys&&) noexcept = default;
ServerShareKeys& ServerShareKeys::operator=(ServerShareKeys&&) noexcept = default;
ServerShareKeys::~ServerShareKeys() = default;

const AdvertisementList& ServerShareKeys::list() const {
  return record_->list;
}

std::vector<SiteIndex> ServerShareKeys::sites() const {
  std::vector<SiteIndex> sites;
  for (const ListedAdvertisement& entry : record_->list.entries) sites.push_back(entry.site);
  return sites;
}

Receipt ServerShareKeys::Add(SiteIndex from, const ShareBundle& message) {
  const auto& listed = record_->list.entries;
  const bool expected =
      std::any_of(listed.begin(), listed.end(), [&](const ListedAdvertisement& entry) { return entry.site == from; });
  if (!expected) return Receipt::Of(Verdict::kUnexpected);
  if (auto receipt = AgainstEarlier(record_->bundles, record_->out, from, message)) return *receipt;
  if (const auto fault = FaultOf(*record_, from, message)) return Exclude(*record_, from, *fault);
  record_->bundles.emplace(from, message);
  return Receipt::Of(Verdict::kTaken);
}

bool ServerShareKeys::HasAnswered(SiteIndex site) const {
  return record_->bundles.contains(site);
}

NextServer<ServerMaskedInput> ServerShareKeys::Close() && {
  std::unique_ptr<ServerRecord> record = std::move(record_);
  if (record->bundles.size() < record->setup().least_survivors()) return Failure{FailureReason::kTooFewSites, {}};
  for (const auto& [site, bundle] : record->bundles) record->participants.push_back(site);
  record->participants_hash = HashOfParticipants(record->list, record->participants);
  record->out.clear();
  return ServerMaskedInput(std::move(record));
}

}  // namespace synod::secure_agg
