// The file: damage of every kind is found.
#include "common/artefact/generator_file.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/artefact/file_sections.h"
#include "common/artefact/verify.h"
#include "common/artefact/verify_claims.h"
#include "tests/support/shared_data.h"
#include "tests/unit/artefact/small_federation.h"

namespace synod {
namespace {

const testing::SmallFederation& Federation() {
  static const testing::SmallFederation federation;
  return federation;
}

const GeneratorFile& PublishedFile() {
  static const GeneratorFile file = Federation().Sign(Federation().certificate()).value();
  return file;
}

// Whether a reader with the right keys would take these bytes for the published generator.
bool Accepts(ByteView bytes) {
  const Result<GeneratorFile> file = GeneratorFile::Parse(bytes);
  return file.ok() && Verify(*file, Federation().trusted()).ok();
}

TEST(GeneratorFile, ReadsBackWhatWasWritten) {
  const std::string path = testing::TemporaryFolder() + "/generator.synod";
  ASSERT_TRUE(PublishedFile().Write(path).ok());
  const Result<GeneratorFile> read = GeneratorFile::Read(path);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->bytes(), PublishedFile().bytes());
  EXPECT_EQ(read->certificate(), PublishedFile().certificate());
  EXPECT_EQ(read->signatures(), PublishedFile().signatures());
  EXPECT_EQ(read->content().plan, Federation().plan());
  EXPECT_EQ(read->content().parameters, Federation().content().parameters);
  EXPECT_EQ(read->content().state, Federation().content().state);
  EXPECT_EQ(read->content_digest(), ContentDigest(Federation().content()).value());
}

TEST(GeneratorFile, FindsAFlipOfAnyByte) {
  const Bytes good = PublishedFile().bytes();
  ASSERT_TRUE(Accepts(good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const int mask : {0x01, 0x20}) {
      Bytes bad = good;
      bad[i] = static_cast<std::uint8_t>(bad[i] ^ mask);
      ASSERT_FALSE(Accepts(bad)) << "byte " << i << " flipped by " << mask;
    }
  }
}

TEST(GeneratorFile, FindsTruncationAtEveryLengthAndBytesAfterTheEnd) {
  const Bytes good = PublishedFile().bytes();
  for (std::size_t length = 0; length < good.size(); ++length) {
    ASSERT_FALSE(GeneratorFile::Parse(ByteView(good).first(length)).ok()) << length;
  }
  Bytes more = good;
  more.push_back(0);
  EXPECT_FALSE(GeneratorFile::Parse(more).ok());
}

TEST(GeneratorFile, RefusesHugeLengthsBeforeItAllocates) {
  const Bytes good = PublishedFile().bytes();
  const std::size_t schema_length_at = 8 + 4 + 4 + 4 + 6;
  for (const int top : {0x00, 0x7f, 0xff}) {
    Bytes bad = good;
    for (std::size_t i = 3; i < 8; ++i) bad[schema_length_at + i] = static_cast<std::uint8_t>(top);
    bad[schema_length_at + 2] = 0xff;
    EXPECT_FALSE(GeneratorFile::Parse(bad).ok());
  }
}

// A file of the published sections in another order or number.
Bytes Arranged(const std::vector<FileSection>& order) {
  const FileSections sections = ReadFileSections(PublishedFile().bytes()).value();
  Bytes out;
  AppendFileHeader(out);
  for (const FileSection section : order) AppendFileSection(section, sections.of(section), out);
  return out;
}

TEST(GeneratorFile, RefusesSectionsThatAreRepeatedMissingOrOutOfOrder) {
  using enum FileSection;
  EXPECT_TRUE(ReadFileSections(Arranged({kSchema, kPlan, kModel, kParameters, kCertificate, kSignatures})).ok());
  EXPECT_FALSE(ReadFileSections(Arranged({kSchema, kSchema, kModel, kParameters, kCertificate, kSignatures})).ok());
  EXPECT_FALSE(ReadFileSections(Arranged({kPlan, kSchema, kModel, kParameters, kCertificate, kSignatures})).ok());
  EXPECT_FALSE(ReadFileSections(Arranged({kSchema, kPlan, kModel, kParameters, kCertificate})).ok());
  EXPECT_FALSE(
      ReadFileSections(Arranged({kSchema, kPlan, kModel, kParameters, kCertificate, kSignatures, kSignatures})).ok());
}

TEST(GeneratorFile, SaysThatADiskIsFull) {
  const Status written = PublishedFile().Write("/dev/full");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kFailed);
}

TEST(GeneratorFile, RefusesContentThatIsNotThePlans) {
  const auto refused = [](auto change) {
    GeneratorContent content = Federation().content();
    change(content);
    return !EncodeContent(content).ok();
  };
  EXPECT_TRUE(refused([](GeneratorContent& c) { c.parameters[1] = NAN; }));
  EXPECT_TRUE(refused([](GeneratorContent& c) { c.parameters[1] = INFINITY; }));
  EXPECT_TRUE(refused([](GeneratorContent& c) { c.options["layers"] = 3; }));
  EXPECT_TRUE(refused([](GeneratorContent& c) { c.family = "another"; }));
  EXPECT_TRUE(refused([](GeneratorContent& c) { c.layout_hash[0] ^= 1; }));
  EXPECT_TRUE(refused([](GeneratorContent& c) { c.state = Json::array(); }));
  EXPECT_TRUE(refused([](GeneratorContent& c) { c.state["x"] = NAN; }));
  EXPECT_TRUE(refused([](GeneratorContent& c) { c.schema = Schema::Create("other", c.schema.columns()).value(); }));
  EXPECT_FALSE(refused([](GeneratorContent&) {}));
}

TEST(GeneratorFile, RefusesACertificateOfAnotherContent) {
  GeneratorContent content = Federation().content();
  content.parameters[0] += 1;
  EXPECT_FALSE(GeneratorDraft::Create(content, Federation().certificate()).ok());
}

TEST(GeneratorDraft, IsTheSameAtTheSiteThatIsAskedToSignIt) {
  const GeneratorDraft draft = GeneratorDraft::Create(Federation().content(), Federation().certificate()).value();
  const Result<GeneratorDraft> read = GeneratorDraft::FromBytes(draft.bytes());
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->file_digest(), draft.file_digest());
  EXPECT_EQ(read->certificate(), Federation().certificate());
  EXPECT_EQ(read->content().parameters, Federation().content().parameters);
  const Result<CheckedClaims> claims = VerifyClaims(*read);
  ASSERT_TRUE(claims.ok()) << claims.error().message;
  EXPECT_GE(claims->checked.size(), 4u);
  EXPECT_LE(claims->epsilon_recomputed, claims->epsilon_stated);
}

TEST(GeneratorDraft, RefusesFilesTruncationsAndWhatItsCertificateDoesNotName) {
  const Bytes good = GeneratorDraft::Create(Federation().content(), Federation().certificate())->bytes();
  EXPECT_FALSE(GeneratorDraft::FromBytes(PublishedFile().bytes()).ok()) << "a whole file is no draft";
  EXPECT_FALSE(GeneratorFile::Parse(good).ok()) << "a draft is no file";
  for (std::size_t length = 0; length < good.size(); ++length) {
    ASSERT_FALSE(GeneratorDraft::FromBytes(ByteView(good).first(length)).ok()) << length;
  }
  const std::size_t content = EncodeContent(Federation().content())->size();
  for (std::size_t i = 0; i < content; ++i) {
    Bytes bad = good;
    bad[i] = static_cast<std::uint8_t>(bad[i] ^ 1);
    ASSERT_FALSE(GeneratorDraft::FromBytes(bad).ok()) << i;
  }
}

TEST(GeneratorDraft, OfAnUnderstatedEpsilonIsFoundByItsSigner) {
  Certificate forged = Federation().certificate();
  forged.readings[0].by_sites[0].upper -= 0.1;
  const GeneratorDraft draft = GeneratorDraft::Create(Federation().content(), forged).value();
  EXPECT_EQ(VerifyClaims(draft).error().code, ErrorCode::kVerificationFailed);
  Certificate other = Federation().certificate();
  other.max_colluding = 0;
  const GeneratorDraft second = GeneratorDraft::Create(Federation().content(), other).value();
  EXPECT_EQ(VerifyClaims(second).error().code, ErrorCode::kVerificationFailed);
}

}  // namespace
}  // namespace synod
