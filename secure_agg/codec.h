// Messages to bytes and back (Protobuf). One value has one encoding: bytes that a writer would spell differently are
// refused, and so is a number outside its range, a list that is longer than kMaxSites or does not ascend, and a
// statement that is too long. Threads: free functions without state.
#pragma once

#include "common/core/bytes.h"
#include "common/core/result.h"
#include "secure_agg/messages.h"

namespace synod::secure_agg {

// More than any message needs: an AdvertisementList of kMaxSites with the longest statements.
inline constexpr std::size_t kMaxSiteMessageBytes = 40u << 10;
inline constexpr std::size_t kMaxCoordinatorMessageBytes = 1280u << 10;

// Messages that keep the rules above (our own duty).
Bytes Encode(const SiteMessage& message);
Bytes Encode(const CoordinatorMessage& message);
// BadInput names the message and the field, never a value.
Result<SiteMessage> DecodeSiteMessage(ByteView bytes);
Result<CoordinatorMessage> DecodeCoordinatorMessage(ByteView bytes);

}  // namespace synod::secure_agg
