// Runs kernels over tensors. What has 16 bits is widened to floats, a piece at a time that stays
// in the nearest cache, and rounded back. The last few elements go through the same code as the
// others, in a block that is filled up.
#include "apply.hpp"

#include <cmath>
#include <cstring>
#include <tuple>

#include "spread.hpp"

namespace hinge {
namespace {

constexpr std::int64_t kShare = 1 << 15;    // elements that a thread takes at a time
constexpr std::int64_t kStretch = 1 << 12;  // elements that two kernels read in turn
constexpr std::int64_t kPiece = 1 << 9;     // elements widened at once

// What lies at an address, to be read or written: so many bytes for a block of elements.
struct Stream {
  char* data;
  std::int64_t block;
  bool written = false;

  char* at(std::int64_t number) const { return data + number * block; }
  std::size_t bytes(std::int64_t elements) const {
    return static_cast<std::size_t>((elements * block + kBlock - 1) / kBlock);
  }
};

Stream tensor(const Run& run, const void* data) {
  return {static_cast<char*>(const_cast<void*>(data)), run.type == Type::float32 ? 64 : 32};
}
Stream bits_at(const void* data) { return {static_cast<char*>(const_cast<void*>(data)), 2}; }
Stream written(Stream stream) { return {stream.data, stream.block, true}; }

// Calls body(n, addresses...) for stretches that cover the streams; n is a multiple of kBlock.
template <class Body, class... Streams>
void over(const Run& run, Body body, Streams... streams) {
  const std::int64_t blocks = run.size / kBlock, rest = run.size % kBlock;
  spread_by(kShare / kBlock, blocks, run.threads, [&](std::int64_t first, std::int64_t last) {
    body((last - first) * kBlock, streams.at(first)...);
  });
  if (rest == 0) return;
  struct Room {
    alignas(64) char bytes[64] = {};
  };
  const auto filled = [&](Room room, const Stream& stream) {
    if (!stream.written) std::memcpy(room.bytes, stream.at(blocks), stream.bytes(rest));
    return room;
  };
  std::tuple rooms{filled(Room{}, streams)...};
  std::apply(
      [&](auto&... room) {
        body(std::int64_t{kBlock}, room.bytes...);
        const auto keep = [&](const Room& made, const Stream& stream) {
          if (stream.written) std::memcpy(stream.at(blocks), made.bytes, stream.bytes(rest));
        };
        (keep(room, streams), ...);
      },
      rooms);
}

// The elements of a tensor as floats, piece by piece: calls body(at, n) for the pieces.
class Floats {
 public:
  explicit Floats(const Run& run)
      : plain_(run.type == Type::float32),
        codec_(run.type == Type::bfloat16 ? run.offered.bfloat16 : run.offered.float16) {}

  template <class Body>
  void each_piece(std::int64_t n, Body body) const {
    const std::int64_t step = plain_ ? kStretch : kPiece;
    for (std::int64_t at = 0; at < n; at += step) body(at, std::min(step, n - at));
  }
  // Reads where they lie, or in `piece`.
  const float* read(const char* from, std::int64_t at, std::int64_t n, float* piece) const {
    if (plain_) return reinterpret_cast<const float*>(from) + at;
    codec_.widen(reinterpret_cast<const std::uint16_t*>(from) + at, piece, n);
    return piece;
  }
  template <class Make>
  void write(char* to, std::int64_t at, std::int64_t n, float* piece, Make make) const {
    if (plain_) return make(reinterpret_cast<float*>(to) + at);
    make(piece);
    codec_.narrow(piece, reinterpret_cast<std::uint16_t*>(to) + at, n);
  }

 private:
  bool plain_;
  Codec codec_;
};

}  // namespace

void map(const Run& run, Kernel::Map kernel, const double* parameters, const void* x, void* y) {
  const Floats floats(run);
  const auto body = [&](std::int64_t size, const char* from, char* to) {
    float piece[kPiece];
    floats.each_piece(size, [&](std::int64_t at, std::int64_t n) {
      const float* here = floats.read(from, at, n, piece);
      floats.write(to, at, n, piece, [&](float* out) { kernel(parameters, here, out, n); });
    });
  };
  over(run, body, tensor(run, x), written(tensor(run, y)));
}

void map_and_mark(const Run& run, const Kernel& kernel, const double* parameters, const void* x,
                  void* y, void* bits) {
  const Floats floats(run);
  const auto body = [&](std::int64_t size, const char* from, char* to, char* marks) {
    float piece[kPiece];
    floats.each_piece(size, [&](std::int64_t at, std::int64_t n) {
      const float* here = floats.read(from, at, n, piece);
      kernel.mark(parameters, here, reinterpret_cast<std::uint8_t*>(marks) + at / 8, n);
      floats.write(to, at, n, piece, [&](float* out) { kernel.value(parameters, here, out, n); });
    });
  };
  over(run, body, tensor(run, x), written(tensor(run, y)), written(bits_at(bits)));
  // Bits beyond the last element are zero.
  if (const int used = run.size % 8; used > 0)
    static_cast<std::uint8_t*>(bits)[run.size / 8] &= (1 << used) - 1;
}

void pull(const Run& run, Kernel::Pull kernel, const double* parameters, const void* gradient,
          const void* kept, void* out) {
  const Floats floats(run);
  const auto body = [&](std::int64_t size, const char* from, const char* other, char* to) {
    float piece[2][kPiece];
    floats.each_piece(size, [&](std::int64_t at, std::int64_t n) {
      const float* back = floats.read(from, at, n, piece[0]);
      const float* here = floats.read(other, at, n, piece[1]);
      floats.write(to, at, n, piece[0],
                   [&](float* made) { kernel(parameters, back, here, made, n); });
    });
  };
  over(run, body, tensor(run, gradient), tensor(run, kept), written(tensor(run, out)));
}

void unmark(const Run& run, Kernel::Unmark kernel, const double* parameters, const void* gradient,
            const void* bits, void* out) {
  const Floats floats(run);
  const auto body = [&](std::int64_t size, const char* from, const char* marks, char* to) {
    float piece[kPiece];
    floats.each_piece(size, [&](std::int64_t at, std::int64_t n) {
      const float* back = floats.read(from, at, n, piece);
      const auto* here = reinterpret_cast<const std::uint8_t*>(marks) + at / 8;
      floats.write(to, at, n, piece,
                   [&](float* made) { kernel(parameters, back, here, made, n); });
    });
  };
  over(run, body, tensor(run, gradient), bits_at(bits), written(tensor(run, out)));
}

bool within(const Run& run, const void* x, double low, double high) {
  // Bounds between two floats move outwards, to the next one that lies not inside.
  float below = static_cast<float>(low), above = static_cast<float>(high);
  if (below > low) below = std::nextafter(below, -INFINITY);
  if (above < high) above = std::nextafter(above, INFINITY);
  const Floats floats(run);
  const Stream all = tensor(run, x);
  const auto inside = [&](const char* from, std::int64_t n) {
    float piece[kPiece];
    return run.offered.within(floats.read(from, 0, n, piece), n, below, above);
  };
  const std::int64_t blocks = run.size / kBlock, rest = run.size % kBlock;
  for (std::int64_t block = 0; block < blocks; block += kPiece / kBlock) {
    const std::int64_t n = std::min<std::int64_t>(kPiece, (blocks - block) * kBlock);
    if (!inside(all.at(block), n)) return false;
  }
  if (rest == 0) return true;
  alignas(64) char room[64];
  const std::size_t element = all.bytes(1);
  for (int i = 0; i < kBlock; ++i)  // filled up with the first of them
    std::memcpy(room + i * element, all.at(blocks) + (i < rest ? i : 0) * element, element);
  return inside(room, kBlock);
}

double rounded(const Run& run, double parameter) {
  const Floats floats(run);
  alignas(64) char room[64];
  float piece[kBlock];
  floats.write(room, 0, kBlock, piece, [&](float* to) {
    for (int i = 0; i < kBlock; ++i) to[i] = static_cast<float>(parameter);
  });
  return *floats.read(room, 0, kBlock, piece);
}

}  // namespace hinge
