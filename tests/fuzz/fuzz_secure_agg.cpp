// A message of secure aggregation behind a byte that says whether a site or the coordinator sent it. What is read is
// written in the same bytes.
#include <algorithm>

#include "secure_agg/codec.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

template <typename Message>
void CheckOneEncoding(const synod::Result<Message>& message, synod::ByteView bytes) {
  if (!message.ok()) return;
  const synod::Bytes again = synod::secure_agg::Encode(*message);
  SYNOD_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()), "a message has one encoding");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const synod::ByteView bytes(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    CheckOneEncoding(synod::secure_agg::DecodeSiteMessage(bytes), bytes);
  } else {
    CheckOneEncoding(synod::secure_agg::DecodeCoordinatorMessage(bytes), bytes);
  }
  return 0;
}
