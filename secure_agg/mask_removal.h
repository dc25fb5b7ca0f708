// Rebuilds the secrets that a survivor set calls for and takes the masks that they give off the total. For the .cpp
// files of the coordinator's phases alone.
//
//   total = sum over survivors u of y_u - PRG(self u) - sum over the missing v of (what u added for the pair u, v)
#pragma once

#include <map>
#include <span>
#include <variant>
#include <vector>

#include "secure_agg/failure.h"
#include "secure_agg/mask_stream.h"
#include "secure_agg/shamir.h"

namespace synod::secure_agg {

struct ServerRecord;
using SharesByHolder = std::map<SiteIndex, Share>;

// The streams to add so that the total is unmasked. `shares`: for each site of U2, of the secret that is called for. A
// secret that is not the one that its dealer committed to (the signed commitment, or the advertised mask key) names the
// dealer: every share of it was the one that the dealer signed.
std::variant<std::vector<Mask>, Failure> MasksToRemove(const ServerRecord& record,
                                                       const std::map<SiteIndex, SharesByHolder>& shares);

// `threads` changes the time taken and nothing else.
void AddMasks(std::span<std::uint8_t> words, const std::vector<Mask>& masks, WordBits bits, unsigned threads);

}  // namespace synod::secure_agg
