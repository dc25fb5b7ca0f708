#include "common/crypto/key_file.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace synod {

Result<KeyHandle> ReadPrivateKey(const std::string& path) {
  std::error_code ignored;
  const bool regular = std::filesystem::is_regular_file(path, ignored);
  const BioHandle bio(regular ? BIO_new_file(path.c_str(), "r") : nullptr);
  if (!bio) {
    ERR_clear_error();
    return BadInput("cannot read the key file " + path);
  }
  KeyHandle key(PEM_read_bio_PrivateKey(bio.get(), nullptr, RefuseKeyPassphrase, nullptr));
  ERR_clear_error();
  return key;
}

Status WritePrivateKey(const std::string& path, EVP_PKEY* key) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return Failed("cannot create the key file " + path + ": " + std::strerror(errno));
  const BioHandle bio(BIO_new_fd(file, BIO_CLOSE));
  SYNOD_CHECK(bio != nullptr, "out of memory");
  const int written = PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  const bool synced = written == 1 && BIO_flush(bio.get()) == 1 && ::fsync(file) == 0;
  ERR_clear_error();
  if (synced) return {};
  ::unlink(path.c_str());
  return Failed("cannot write the key file " + path, "check the free space of the disk");
}

Bytes LabelledBytes(std::string_view label, ByteView message) {
  SYNOD_CHECK(!label.empty() && label.find('\0') == std::string_view::npos, "a signature label is a plain literal");
  Bytes bytes;
  bytes.reserve(label.size() + 1 + message.size());
  bytes.insert(bytes.end(), label.begin(), label.end());
  bytes.push_back(0);
  bytes.insert(bytes.end(), message.begin(), message.end());
  return bytes;
}

}  // namespace synod
