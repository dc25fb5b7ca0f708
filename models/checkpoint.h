// The bytes of a trainer's checkpoint: what it is of, its numbers, and a digest of all of it.
//
//   "SYNODCKP" | u32 version | u32 bytes of the family's name | name | plan hash | fields | SHA-256 of all before
//
// A field is a number of 8 bytes, or a list of numbers behind its length; all little-endian. A reader asks for the
// fields in the order in which they were put, with the lengths that they must have.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/result.h"

namespace synod {

class CheckpointWriter {
 public:
  CheckpointWriter(std::string_view family, std::uint32_t version, const Digest& plan_hash);

  void Put(std::uint64_t value);
  void Put(double value);
  void Put(const std::optional<double>& value);
  void Put(std::span<const double> values);
  void Put(std::span<const float> values);
  Bytes Finish() &&;

 private:
  Bytes bytes_;
};

class CheckpointReader {
 public:
  // VerificationFailed where the bytes are damaged, BadInput where they are a checkpoint of something else. `bytes`
  // must outlive the reader.
  static Result<CheckpointReader> Open(ByteView bytes, std::string_view family, std::uint32_t version,
                                       const Digest& plan_hash);

  // Every number must be finite.
  Result<std::uint64_t> Whole();
  Result<double> Real();
  Result<std::optional<double>> OptionalReal();
  // A list of `count` numbers, or, where `may_be_empty`, of none.
  Result<std::vector<double>> Doubles(std::size_t count, bool may_be_empty = false);
  Result<std::vector<float>> Floats(std::size_t count, bool may_be_empty = false);
  // Fails where fields are left.
  Status Finish() const;

 private:
  explicit CheckpointReader(ByteView fields) : rest_(fields) {}
  Result<ByteView> Take(std::size_t bytes);
  Result<ByteView> List(std::size_t count, std::size_t item_bytes, bool may_be_empty);

  ByteView rest_;
};

}  // namespace synod
