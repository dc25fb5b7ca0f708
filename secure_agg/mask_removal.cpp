#include "secure_agg/mask_removal.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "common/core/check.h"
#include "secure_agg/attempt_keys.h"
#include "secure_agg/server_record.h"
#include "secure_agg/site_lists.h"

namespace synod::secure_agg {
namespace {

// Rebuilds secrets from t shares each; the coefficients are computed once for each set of holders.
class SecretBuilder {
 public:
  explicit SecretBuilder(std::uint32_t threshold) : threshold_(threshold) {}

  std::optional<SecretBytes> Build(const SharesByHolder& shares) {
    std::vector<std::uint32_t> points;
    std::vector<const Share*> values;
    for (auto place = shares.begin(); values.size() < threshold_; ++place) {
      points.push_back(PointOf(place->first));
      values.push_back(&place->second);
    }
    auto combiner = combiners_.find(points);
    if (combiner == combiners_.end()) combiner = combiners_.emplace(points, ShareCombiner(points)).first;
    return combiner->second.Combine(values);
  }

 private:
  std::uint32_t threshold_;
  std::map<std::vector<std::uint32_t>, ShareCombiner> combiners_;
};

const Advertisement& AdvertisedBy(const ServerRecord& record, SiteIndex site) {
  const auto& entries = record.list.entries;
  const auto place =
      std::lower_bound(entries.begin(), entries.end(), site,
                       [](const ListedAdvertisement& entry, SiteIndex wanted) { return entry.site < wanted; });
  SYNOD_CHECK(place != entries.end() && place->site == site, "a participant advertised");
  return place->advertisement;
}

// False where the secret is not the one that was committed to.
bool AppendSelfMask(const ServerRecord& record, SiteIndex site, const SecretBytes& secret, std::vector<Mask>& masks) {
  if (SelfCommitment(record.setup(), site, secret) != record.bundles.at(site).self_commitment) return false;
  masks.push_back({SelfSeed(record.setup(), site, secret), MaskSign::kSubtract});
  return true;
}

bool AppendPairMasks(const ServerRecord& record, SiteIndex missing, const SecretBytes& secret,
                     std::vector<Mask>& masks) {
  const Result<AgreementKey> key = AgreementKey::FromPrivate(secret.view());
  if (!key.ok() || key->public_key() != AdvertisedBy(record, missing).mask_key) return false;
  for (const SiteIndex survivor : record.survivors) {
    Result<SecretBytes> seed =
        PairSeed(record.setup(), *key, missing, AdvertisedBy(record, survivor).mask_key, survivor);
    SYNOD_CHECK(seed.ok(), "advertised keys are not of small order");
    masks.push_back({std::move(*seed), survivor < missing ? MaskSign::kSubtract : MaskSign::kAdd});
  }
  return true;
}

}  // namespace

std::variant<std::vector<Mask>, Failure> MasksToRemove(const ServerRecord& record,
                                                       const std::map<SiteIndex, SharesByHolder>& shares) {
  const std::uint32_t threshold = record.setup().threshold();
  for (const SiteIndex about : record.participants) {
    const auto place = shares.find(about);
    if (place == shares.end() || place->second.size() < threshold) return Failure{FailureReason::kTooFewShares, {}};
  }
  SecretBuilder builder(threshold);
  std::vector<Mask> masks;
  Failure failure{FailureReason::kSharesDoNotFit, {}};
  for (const SiteIndex about : record.participants) {
    const std::optional<SecretBytes> secret = builder.Build(shares.at(about));
    const bool fits = secret && (Contains(record.survivors, about) ? AppendSelfMask(record, about, *secret, masks)
                                                                   : AppendPairMasks(record, about, *secret, masks));
    if (!fits) failure.blames.push_back({about, BlameReason::kBadShares});
  }
  if (!failure.blames.empty()) return failure;
  return masks;
}

void AddMasks(std::span<std::uint8_t> words, const std::vector<Mask>& masks, WordBits bits, unsigned threads) {
  constexpr std::uint64_t kLeastPieceBytes = 1u << 20;
  const std::uint64_t most = std::max<std::uint64_t>(1, words.size() / kLeastPieceBytes);
  const std::uint64_t pieces = std::clamp<std::uint64_t>(threads, 1, most);
  const auto begin_of = [&](std::uint64_t piece) {
    constexpr std::uint64_t kAlignment = 64;
    return piece == pieces ? words.size() : words.size() / pieces * piece / kAlignment * kAlignment;
  };
  std::vector<std::thread> workers;
  for (std::uint64_t piece = 0; piece < pieces; ++piece) {
    const std::uint64_t begin = begin_of(piece);
    const std::span<std::uint8_t> part = words.subspan(begin, begin_of(piece + 1) - begin);
    const auto work = [part, begin, bits, &masks] { MaskStreams(masks, bits, begin).AddTo(part); };
    if (piece + 1 == pieces) {
      work();
    } else {
      workers.emplace_back(work);
    }
  }
  for (std::thread& worker : workers) worker.join();
}

}  // namespace synod::secure_agg
