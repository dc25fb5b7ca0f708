#include "common/crypto/secret_random.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <sstream>
#include <type_traits>

#include "tests/support/deterministic_random.h"

namespace synod {
namespace {

SecretRandom TestStream(std::uint64_t seed) {
  return SecretRandomForTestsOnly::FromSeed(seed);
}

static_assert(!std::is_default_constructible_v<SecretRandom>);
static_assert(!std::is_copy_constructible_v<SecretRandom> && !std::is_copy_assignable_v<SecretRandom>);
static_assert(!std::is_constructible_v<SecretRandom, std::uint64_t>, "a seed makes no secret stream");
static_assert(!std::is_constructible_v<SecretRandom, SecretBytes>, "a key makes no secret stream");
static_assert(!std::is_copy_constructible_v<SecretBytes> && !std::is_convertible_v<SecretBytes, ByteView>);

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(!Printable<SecretBytes>);

TEST(SecretBytes, IsEmptyAfterItWasMovedAway) {
  SecretBytes a = SecretBytes::CopyOf(AsBytes("key"));
  const SecretBytes b = std::move(a);
  EXPECT_EQ(a.size(), 0U);  // NOLINT: that is the test
  EXPECT_TRUE(b.EqualTo(SecretBytes::CopyOf(AsBytes("key"))));
  EXPECT_FALSE(b.EqualTo(SecretBytes::CopyOf(AsBytes("kez"))));
  EXPECT_FALSE(b.EqualTo(SecretBytes::CopyOf(AsBytes("ke"))));
}

// Computed by another program from the description of the stream (HKDF, AES-256-CTR, fast key erasure).
TEST(SecretRandom, MatchesItsDescription) {
  SecretRandom stream = TestStream(7);
  EXPECT_EQ(stream.NextWord64(), 0x743b35406195342cU);
  EXPECT_EQ(stream.NextWord64(), 0xa7071968be63b535U);
  for (int i = 2; i < 4092; ++i) stream.NextWord64();
  EXPECT_EQ(stream.NextWord64(), 0x5c3538883db68d3fU);
}

TEST(SecretRandom, ForksMatchTheirDescriptionAndNeverRepeat) {
  SecretRandom stream = TestStream(7);
  EXPECT_EQ(stream.Fork("label", 3).NextWord64(), 0xe3c95887526f9b27U);
  EXPECT_EQ(stream.Fork("label", 3).NextWord64(), 0x484216cc562a1a3cU) << "the same label and index, another stream";
}

TEST(SecretRandom, ForksOfDifferentLabelsIndicesAndDepthsDiffer) {
  std::set<std::uint64_t> words;
  for (const std::string_view label : {"a", "b", "ab"}) {
    for (std::uint64_t index = 0; index < 50; ++index) {
      SecretRandom stream = TestStream(1);
      SecretRandom fork = stream.Fork(label, index);
      words.insert(fork.NextWord64());
      words.insert(fork.Fork(label, index).NextWord64());
    }
  }
  EXPECT_EQ(words.size(), 300U);
}

TEST(SecretRandom, FillAndWordsReadOneStream) {
  SecretRandom by_words = TestStream(2);
  SecretRandom by_bytes = TestStream(2);
  Bytes bytes(100'000);  // more than two buffers
  by_bytes.Fill(bytes);
  for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, 8);
    ASSERT_EQ(by_words.NextWord64(), word) << i;
  }
}

TEST(SecretRandom, StreamsFromTheOperatingSystemDiffer) {
  EXPECT_NE(SecretRandom::FromOperatingSystem().NextWord64(), SecretRandom::FromOperatingSystem().NextWord64());
}

TEST(SecretRandom, BernoulliKeepsItsExtremes) {
  SecretRandom stream = TestStream(3);
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(stream.Bernoulli(0));
}

TEST(SecretRandomDeathTest, RefusesUseAfterItWasMovedAway) {
  SecretRandom stream = TestStream(4);
  const SecretRandom taken = std::move(stream);
  EXPECT_DEATH(stream.NextWord64(), "moved away");  // NOLINT: that is the test
  EXPECT_DEATH(stream.Fork("a", 0), "moved away");
}

TEST(SecretRandom, RefusesToGoOnInAForkedChild) {
  SecretRandom stream = TestStream(5);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(STDERR_FILENO);
    stream.Fork("a", 0);
    ::_exit(0);  // reached only when the same stream ran in two processes
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace synod
