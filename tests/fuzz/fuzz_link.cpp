// A link whose peer holds a key of the consortium and says anything: the input is what goes through an established TLS
// session, after a proper Hello if its first byte is odd; the link is then in the middle of a payload of its own.
#include "common/core/version.h"
#include "common/net/link.h"
#include "common/wire/codec.h"
#include "common/wire/limits.h"
#include "tests/fuzz/fuzz_members.h"
#include "tests/fuzz/fuzz_target.h"

namespace synod {
namespace {

class FixedClock final : public Clock {
 public:
  std::int64_t UnixSeconds() const override { return 1'790'000'000; }
  double MonotonicSeconds() const override { return 100.0; }
};

constexpr std::uint64_t kPayloadLimit = 1u << 20;

void Talk(ByteView input, bool hello) {
  const FixedClock clock;
  Link::Shared shared;
  shared.rules.check_peer = [](const X509Certificate&) { return Status(); };
  shared.rules.payload_limit = [](const Identity&, const Message&) { return kPayloadLimit; };
  shared.rules.trust_numbers = [] { return std::pair<std::uint64_t, std::uint64_t>(1, 1); };
  shared.admit = [](const Identity&, const Hello&) { return std::optional<GoodbyeReason>(); };
  Link link(FuzzMembers::Get().shared_server(), TlsSide::kServer, shared, clock);
  TlsStep peer(FuzzMembers::Get().client());
  link.Start();
  Bytes plain;
  Bytes sent;
  SYNOD_CHECK(peer.Start().ok(), "a client can start");
  for (int i = 0; i < 2; ++i) {
    link.Receive(std::exchange(peer.output(), {}));
    if (link.NextOutput(sent)) SYNOD_CHECK(peer.Receive(sent, plain).ok(), "a true handshake succeeds");
  }
  if (hello) {
    const Hello own{limits::kProtocolVersion, kVersion, clock.UnixSeconds(), {}, 1, 1};
    Bytes frame;
    AppendFrame(FrameType(own), 0, *EncodeControl(own), {}, frame);
    SYNOD_CHECK(peer.Write(frame).ok(), "an established session takes bytes");
    link.Receive(std::exchange(peer.output(), {}));
    // The corpus knows the digest of two chunks of it.
    static const auto payload = std::make_shared<const Bytes>(3 * limits::kChunkBytes, 0xd0);
    SYNOD_CHECK(link.Send({DraftToSign{}, payload}).ok(), "an open link takes a message");
    static_cast<void>(link.NextOutput(sent));
  }
  if (!input.empty()) SYNOD_CHECK(peer.Write(input).ok(), "an established session takes bytes");
  link.Receive(std::exchange(peer.output(), {}));
  link.Tick();
  while (link.NextOutput(sent)) {
  }
  int closed = 0;
  for (const LinkStep& step : link.TakeSteps()) {
    if (std::holds_alternative<LinkClosed>(step)) ++closed;
    const auto* envelope = std::get_if<Envelope>(&step);
    SYNOD_CHECK(envelope == nullptr || !envelope->payload || envelope->payload->size() <= kPayloadLimit,
                "payloads are within their limit");
  }
  SYNOD_CHECK(closed <= 1, "a link is closed once");
}

}  // namespace
}  // namespace synod

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  synod::Talk({data + 1, size - 1}, data[0] % 2 == 1);
  return 0;
}
