// Bytes that must not outlive their use: wiped when destroyed or moved from, never copied by accident, never printed.
#pragma once

#include <cstddef>
#include <memory>
#include <ostream>

#include "common/core/bytes.h"

namespace synod {

// In constant time for equal sizes.
bool EqualInConstantTime(ByteView a, ByteView b);

class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size);  // zeros
  static SecretBytes CopyOf(ByteView bytes);

  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  std::size_t size() const { return size_; }
  ByteView view() const { return {data_.get(), size_}; }
  std::span<std::uint8_t> bytes() { return {data_.get(), size_}; }

  bool EqualTo(const SecretBytes& other) const { return EqualInConstantTime(view(), other.view()); }

  friend std::ostream& operator<<(std::ostream&, const SecretBytes&) = delete;

 private:
  void Wipe();

  std::unique_ptr<std::uint8_t[]> data_;
  std::size_t size_ = 0;
};

}  // namespace synod
