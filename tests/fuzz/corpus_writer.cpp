// Writes the first inputs of the targets whose input is not text: fuzz_corpus FOLDER (tests/fuzz/corpus).
#include <cstdio>
#include <filesystem>

#include "common/core/file.h"
#include "common/crypto/sha256.h"
#include "common/wire/chunk.h"
#include "common/wire/codec.h"
#include "common/wire/frame.h"
#include "common/wire/limits.h"
#include "secure_agg/codec.h"
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

// Of a payload of three chunks (fuzz_link.cpp): the other side has two of them, and says so a second time.
Bytes Resumes(std::uint64_t first_sequence) {
  const Bytes chunk(limits::kChunkBytes, 0xd0);
  const Digest one = Sha256(chunk);
  Bytes both(one.begin(), one.end());
  both.insert(both.end(), one.begin(), one.end());
  const Bytes resume = EncodeResume({0, 2 * limits::kChunkBytes, Sha256(both)});
  Bytes frames;
  AppendFrame(kResumeFrame, first_sequence, resume, {}, frames);
  AppendFrame(kCreditFrame, first_sequence + 1, EncodeCredit({10}), {}, frames);
  AppendFrame(kResumeFrame, first_sequence + 2, resume, {}, frames);
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

// One of every message of secure aggregation, behind a byte that says whose.
void WriteSecureAgg(const std::filesystem::path& folder) {
  QueryName name;
  name.query = 3;
  name.attempt = 1;
  const secure_agg::Advertisement advertisement{{1}, {2}, Bytes{7, 7}, {3}};
  const std::vector<secure_agg::SiteBody> from_sites = {
      advertisement, secure_agg::ShareBundle{{1}, {{0, {2}, {3}, {4}}, {5, {6}, {7}, {8}}}, {9}},
      secure_agg::UploadEnd{{1}, {2}, {0, 4}, {3}}, secure_agg::ConsistencySignature{{1}},
      secure_agg::Unmasking{{{0, secure_agg::SecretKind::kSelfMask, {1}}, {2, secure_agg::SecretKind::kMaskKey, {2}}}}};
  const std::vector<secure_agg::CoordinatorBody> from_coordinator = {
      secure_agg::AdvertisementList{{{0, advertisement}, {3, advertisement}}},
      secure_agg::ShareList{{{0, {1}, {2}, {3}}, {9, {4}, {5}, {6}}}},
      secure_agg::UploadGrant{17},
      secure_agg::SurvivorList{{0, 1, 127}},
      secure_agg::SignatureList{{{1, {2}}, {2, {3}}}},
      secure_agg::AttemptClosed{}};
  for (const secure_agg::SiteBody& body : from_sites) {
    Save(folder, std::string(secure_agg::BodyName(body)),
         Behind({0}, secure_agg::Encode(secure_agg::SiteMessage{name, body})));
  }
  for (const secure_agg::CoordinatorBody& body : from_coordinator) {
    Save(folder, std::string(secure_agg::BodyName(body)),
         Behind({1}, secure_agg::Encode(secure_agg::CoordinatorMessage{name, body})));
  }
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
  synod::WriteSecureAgg(folder / "secure_agg");
  synod::WriteTlsStep(folder / "tls_step");
  synod::Save(folder / "frame", "conversation", synod::Behind({255}, synod::Conversation(0)));
  synod::Save(folder / "frame", "conversation_in_pieces", synod::Behind({0}, synod::Conversation(0)));
  synod::Save(folder / "frame", "resumes", synod::Behind({255}, synod::Resumes(0)));
  synod::Save(folder / "link", "resumes", synod::Behind({1}, synod::Resumes(1)));
  synod::Save(folder / "link", "conversation", synod::Behind({1}, synod::Conversation(1)));
  synod::Save(folder / "link", "without_hello", synod::Behind({0}, synod::Conversation(0)));
  const synod::testing::SmallFederation federation;
  const auto file = federation.Sign(federation.certificate());
  SYNOD_CHECK(file.ok(), "a small federation can publish");
  synod::Save(folder / "generator_file", "small", file->bytes());
  return 0;
}
