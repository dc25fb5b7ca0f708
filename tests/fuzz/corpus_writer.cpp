// Writes the first inputs of the targets whose input is not text: fuzz_corpus FOLDER (tests/fuzz/corpus).
#include <cstdio>
#include <filesystem>

#include "common/core/file.h"
#include "common/crypto/sha256.h"
#include "common/wire/chunk.h"
#include "common/wire/codec.h"
#include "common/wire/frame.h"
#include "tests/unit/artefact/small_federation.h"
#include "tests/unit/wire/sample_messages.h"

namespace synod {
namespace {

void Save(const std::filesystem::path& folder, const std::string& name, const Bytes& bytes) {
  std::filesystem::create_directories(folder);
  SYNOD_CHECK(WriteFileAtomically((folder / name).string(), bytes).ok(), "a corpus can be written");
}

Bytes Behind(std::initializer_list<std::uint8_t> first, ByteView rest) {
  Bytes bytes(first.size() + rest.size());
  std::copy(rest.begin(), rest.end(), std::copy(first.begin(), first.end(), bytes.begin()));
  return bytes;
}

void WriteControl(const std::filesystem::path& folder) {
  for (const Message& message : SampleMessages()) {
    const auto low = static_cast<std::uint8_t>(FrameType(message));
    Save(folder, std::string(MessageName(message)), Behind({low, 0}, *EncodeControl(message)));
  }
}

// Frames of a whole conversation: some messages, a payload in one chunk, credit.
Bytes Conversation(std::uint64_t first_sequence) {
  Bytes frames;
  std::uint64_t sequence = first_sequence;
  ChunkWriter writer;
  const Bytes payload(100, 0xd0);
  const Control answer{Answer{}, PayloadHeader{0, payload.size()}};
  AppendFrame(FrameType(answer.message), sequence++, *EncodeControl(answer),
              writer.Write({0, 0, 100, payload, Sha256(payload)}), frames);
  const Control empty{DraftToSign{}, PayloadHeader{1, 0}};
  AppendFrame(FrameType(empty.message), sequence++, *EncodeControl(empty), {}, frames);
  for (const Message& message : SampleMessages()) {
    if (std::holds_alternative<Hello>(message) || std::holds_alternative<Goodbye>(message)) continue;
    AppendFrame(FrameType(message), sequence++, *EncodeControl(message), {}, frames);
  }
  AppendFrame(kCreditFrame, sequence++, EncodeCredit({10}), {}, frames);
  const Message goodbye = Goodbye{};
  AppendFrame(FrameType(goodbye), sequence, *EncodeControl(goodbye), {}, frames);
  return frames;
}

void WriteBulk(const std::filesystem::path& folder) {
  ChunkWriter writer;
  const auto save = [&](const std::string& name, const ChunkView& chunk) {
    const ByteView bytes = writer.Write(chunk);
    Save(folder, name, Bytes(bytes.begin(), bytes.end()));
  };
  const Bytes data(64, 0xd0);
  save("one_byte", {0, 0, 1, ByteView(data).first(1)});
  save("whole", {1, 0, 64, data});
  save("last", {2, 1u << 20, (1u << 20) + 64, data});
  save("beyond", {2, 1u << 20, 64, data});
}

void WriteTlsStep(const std::filesystem::path& folder) {
  Save(folder, "http", Behind({0}, AsBytes("GET / HTTP/1.1\r\nHost: coordinator\r\n\r\n")));
  Save(folder, "begin_of_a_handshake", Behind({0}, Bytes{0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01, 0x03}));
  Save(folder, "alert_to_client", Behind({1}, Bytes{0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28}));
  Save(folder, "untouched", Bytes{2});
  Save(folder, "client_hello", Bytes{2, 40, 0, 1});
  Save(folder, "server_hello", Bytes{2, 60, 1, 1});
  Save(folder, "certificate", Bytes{2, 44, 2, 0x80});
  Save(folder, "data", Bytes{2, 208, 7, 4});
}

}  // namespace
}  // namespace synod

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: fuzz_corpus FOLDER\n", stderr);
    return 4;
  }
  const std::filesystem::path folder = arguments[1];
  synod::WriteControl(folder / "control");
  synod::WriteBulk(folder / "bulk");
  synod::WriteTlsStep(folder / "tls_step");
  synod::Save(folder / "frame", "conversation", synod::Behind({255}, synod::Conversation(0)));
  synod::Save(folder / "frame", "conversation_in_pieces", synod::Behind({0}, synod::Conversation(0)));
  synod::Save(folder / "link", "conversation", synod::Behind({1}, synod::Conversation(1)));
  synod::Save(folder / "link", "without_hello", synod::Behind({0}, synod::Conversation(0)));
  const synod::testing::SmallFederation federation;
  const auto file = federation.Sign(federation.certificate());
  SYNOD_CHECK(file.ok(), "a small federation can publish");
  synod::Save(folder / "generator_file", "small", file->bytes());
  return 0;
}
