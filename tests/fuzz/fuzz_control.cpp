// A control message behind two bytes of its type. What is read is written in the same bytes.
#include <algorithm>

#include "common/wire/codec.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto type = static_cast<std::uint16_t>(data[0] | (data[1] << 8));
  const synod::ByteView bytes(data + 2, size - 2);
  const synod::Result<synod::Control> control = synod::DecodeControl(type, bytes);
  if (control.ok()) {
    const synod::Result<synod::Bytes> again = synod::EncodeControl(*control);
    SYNOD_CHECK(again.ok() && std::equal(again->begin(), again->end(), bytes.begin(), bytes.end()),
                "a message has one encoding");
  }
  static_cast<void>(synod::DecodeCredit(bytes));
  return 0;
}
