#include "models/checkpoint.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "common/crypto/sha256.h"

namespace synod {
namespace {

constexpr std::string_view kMagic = "SYNODCKP";

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

void Append(Bytes& out, ByteView bytes) {
  const std::size_t end = out.size();
  out.resize(end + bytes.size());
  if (!bytes.empty()) std::memcpy(out.data() + end, bytes.data(), bytes.size());
}

template <typename Number>
ByteView BytesOf(std::span<const Number> values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()};
}

template <typename Number>
void AppendNumber(Bytes& out, Number value) {
  Append(out, BytesOf(std::span<const Number>(&value, 1)));
}

Error Wrong() {
  return BadInput("a trainer's checkpoint has fields of another form than this version's");
}

template <typename Number>
Result<std::vector<Number>> FiniteNumbers(ByteView bytes) {
  std::vector<Number> values(bytes.size() / sizeof(Number));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  if (!std::all_of(values.begin(), values.end(), [](Number x) { return std::isfinite(x); })) return Wrong();
  return values;
}

// Everything before the fields.
Bytes Heading(std::string_view family, std::uint32_t version, const Digest& plan_hash) {
  Bytes heading;
  Append(heading, AsBytes(kMagic));
  AppendNumber(heading, version);
  AppendNumber(heading, static_cast<std::uint32_t>(family.size()));
  Append(heading, AsBytes(family));
  Append(heading, plan_hash);
  return heading;
}

}  // namespace

CheckpointWriter::CheckpointWriter(std::string_view family, std::uint32_t version, const Digest& plan_hash)
    : bytes_(Heading(family, version, plan_hash)) {}

void CheckpointWriter::Put(std::uint64_t value) {
  AppendNumber(bytes_, value);
}

void CheckpointWriter::Put(double value) {
  AppendNumber(bytes_, value);
}

void CheckpointWriter::Put(const std::optional<double>& value) {
  Put(std::uint64_t{value ? 1U : 0U});
  Put(value.value_or(0.0));
}

void CheckpointWriter::Put(std::span<const double> values) {
  Put(std::uint64_t{values.size()});
  Append(bytes_, BytesOf(values));
}

void CheckpointWriter::Put(std::span<const float> values) {
  Put(std::uint64_t{values.size()});
  Append(bytes_, BytesOf(values));
}

Bytes CheckpointWriter::Finish() && {
  const Digest digest = Sha256(bytes_);
  Append(bytes_, digest);
  return std::move(bytes_);
}

Result<CheckpointReader> CheckpointReader::Open(ByteView bytes, std::string_view family, std::uint32_t version,
                                                const Digest& plan_hash) {
  const Error damaged = VerificationFailed("a trainer's checkpoint is damaged");
  if (bytes.size() < sizeof(Digest)) return damaged;
  const ByteView content = bytes.first(bytes.size() - sizeof(Digest));
  const Digest digest = Sha256(content);
  if (!std::equal(digest.begin(), digest.end(), bytes.last(sizeof(Digest)).begin())) return damaged;
  const Bytes heading = Heading(family, version, plan_hash);
  if (content.size() < heading.size() || !std::equal(heading.begin(), heading.end(), content.begin())) {
    return BadInput("a trainer's checkpoint is of another run, family or version");
  }
  return CheckpointReader(content.subspan(heading.size()));
}

Result<ByteView> CheckpointReader::Take(std::size_t bytes) {
  if (bytes > rest_.size()) return Wrong();
  const ByteView taken = rest_.first(bytes);
  rest_ = rest_.subspan(bytes);
  return taken;
}

Result<std::uint64_t> CheckpointReader::Whole() {
  SYNOD_ASSIGN_OR_RETURN(const ByteView bytes, Take(sizeof(std::uint64_t)));
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

Result<double> CheckpointReader::Real() {
  SYNOD_ASSIGN_OR_RETURN(const ByteView bytes, Take(sizeof(double)));
  SYNOD_ASSIGN_OR_RETURN(const std::vector<double> value, FiniteNumbers<double>(bytes));
  return value[0];
}

Result<std::optional<double>> CheckpointReader::OptionalReal() {
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t there, Whole());
  SYNOD_ASSIGN_OR_RETURN(const double value, Real());
  if (there > 1) return Wrong();
  return there == 1 ? std::optional<double>(value) : std::nullopt;
}

Result<ByteView> CheckpointReader::List(std::size_t count, std::size_t item_bytes, bool may_be_empty) {
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t stated, Whole());
  if (stated != count && !(stated == 0 && may_be_empty)) return Wrong();
  return Take(static_cast<std::size_t>(stated) * item_bytes);
}

Result<std::vector<double>> CheckpointReader::Doubles(std::size_t count, bool may_be_empty) {
  SYNOD_ASSIGN_OR_RETURN(const ByteView bytes, List(count, sizeof(double), may_be_empty));
  return FiniteNumbers<double>(bytes);
}

Result<std::vector<float>> CheckpointReader::Floats(std::size_t count, bool may_be_empty) {
  SYNOD_ASSIGN_OR_RETURN(const ByteView bytes, List(count, sizeof(float), may_be_empty));
  return FiniteNumbers<float>(bytes);
}

Status CheckpointReader::Finish() const {
  if (!rest_.empty()) return Wrong();
  return {};
}

}  // namespace synod
