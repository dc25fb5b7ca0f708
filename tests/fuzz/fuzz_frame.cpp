// A stream of frames in pieces: the first byte says how it is cut.
#include <algorithm>

#include "common/wire/codec.h"
#include "common/wire/frame.h"
#include "common/wire/limits.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using synod::ByteView;
  if (size == 0) return 0;
  const std::size_t piece = 1 + 16 * std::size_t{data[0]};
  ByteView rest(data + 1, size - 1);
  synod::FrameReader reader;
  std::uint64_t frames = 0;
  while (!rest.empty()) {
    const ByteView next = rest.first(std::min(piece, rest.size()));
    rest = rest.subspan(next.size());
    reader.Feed(next);
    for (;;) {
      const auto frame = reader.Next();
      if (!frame.ok()) {
        SYNOD_CHECK(reader.buffered_bytes() == 0, "a stream that is out of step keeps nothing");
        return 0;
      }
      if (!frame->has_value()) break;
      SYNOD_CHECK((*frame)->sequence == frames++, "frames are numbered");
      SYNOD_CHECK((*frame)->control.size() <= synod::limits::kMaxControlBytes, "control is within its limit");
      SYNOD_CHECK((*frame)->bulk.size() <= synod::limits::kMaxBulkBytes, "bulk is within its limit");
      static_cast<void>(synod::DecodeControl((*frame)->type, (*frame)->control));
      static_cast<void>(synod::DecodeCredit((*frame)->control));
      const auto resume = synod::DecodeResume((*frame)->control);
      SYNOD_CHECK(!resume.ok() || synod::EncodeResume(*resume).size() == (*frame)->control.size(),
                  "a resume has one encoding");
    }
    SYNOD_CHECK(reader.buffered_bytes() <= synod::limits::kMaxControlBytes + synod::limits::kMaxBulkBytes + 64 + piece,
                "no more than a frame is kept");
  }
  return 0;
}
