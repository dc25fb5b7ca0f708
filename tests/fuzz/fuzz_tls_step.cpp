// TLS sessions that get something else than what was sent. First byte: 0 the input is what a server gets, 1 what a
// client gets, else: a true handshake and some data, in which the input's triples (position, position, mask) alter
// bytes.
#include <algorithm>

#include "common/net/tls_step.h"
#include "tests/fuzz/fuzz_members.h"
#include "tests/fuzz/fuzz_target.h"

namespace synod {
namespace {

void FeedRaw(const TlsContext& context, ByteView bytes) {
  TlsStep step(context);
  static_cast<void>(step.Start());
  Bytes plain;
  while (!bytes.empty()) {
    const ByteView piece = bytes.first(std::min<std::size_t>(bytes.size(), 1000));
    bytes = bytes.subspan(piece.size());
    if (!step.Receive(piece, plain).ok()) return;
  }
  SYNOD_CHECK(!step.established() && plain.empty(), "nobody gets in without a key");
}

// Bytes on their way, altered where the input says so; positions count through the whole conversation.
class Meddler {
 public:
  explicit Meddler(ByteView edits) : edits_(edits) {}
  void Alter(Bytes& bytes) {
    for (std::size_t i = 0; i + 2 < edits_.size(); i += 3) {
      const std::size_t at = edits_[i] + 256u * edits_[i + 1];
      if (edits_[i + 2] == 0 || at < seen_ || at - seen_ >= bytes.size()) continue;
      bytes[at - seen_] = static_cast<std::uint8_t>(bytes[at - seen_] ^ edits_[i + 2]);
      meddled_ = true;
    }
    seen_ += bytes.size();
  }
  bool meddled() const { return meddled_; }

 private:
  ByteView edits_;
  std::size_t seen_ = 0;
  bool meddled_ = false;
};

bool Pass(TlsStep& from, TlsStep& to, Meddler& meddler, Bytes& plain) {
  Bytes bytes = std::move(from.output());
  from.output().clear();
  meddler.Alter(bytes);
  return to.Receive(bytes, plain).ok();
}

void Converse(ByteView edits) {
  TlsStep client(FuzzMembers::Get().client());
  TlsStep server(FuzzMembers::Get().server());
  Meddler meddler(edits);
  Bytes at_client;
  Bytes at_server;
  bool ok = client.Start().ok();
  for (int i = 0; ok && i < 4; ++i) {
    ok = Pass(client, server, meddler, at_server) && Pass(server, client, meddler, at_client);
    if (ok && i == 1 && client.established()) ok = client.Write(Bytes(3000, 'c')).ok();
    if (ok && i == 1 && server.established()) ok = server.Write(Bytes(50, 's')).ok();
  }
  SYNOD_CHECK(meddler.meddled() || (ok && at_server == Bytes(3000, 'c') && at_client == Bytes(50, 's')),
              "an untouched conversation succeeds");
  SYNOD_CHECK(std::all_of(at_server.begin(), at_server.end(), [](std::uint8_t byte) { return byte == 'c'; }),
              "nothing that was not sent is read");
  SYNOD_CHECK(std::all_of(at_client.begin(), at_client.end(), [](std::uint8_t byte) { return byte == 's'; }),
              "nothing that was not sent is read");
}

}  // namespace
}  // namespace synod

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const synod::ByteView rest(data + 1, size - 1);
  if (data[0] == 0) synod::FeedRaw(synod::FuzzMembers::Get().server(), rest);
  if (data[0] == 1) synod::FeedRaw(synod::FuzzMembers::Get().client(), rest);
  if (data[0] > 1) synod::Converse(rest);
  return 0;
}
