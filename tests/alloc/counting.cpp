// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "alloc/counting.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define MINRNN_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MINRNN_SANITIZED 1
#endif
#endif
#if defined(__GLIBC__) && !defined(MINRNN_SANITIZED)
#define MINRNN_COUNTS_MALLOC 1
#endif

namespace {
std::atomic<bool> counting{false};
std::atomic<std::int64_t> allocations{0}, bytes{0};

void count() {
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
}
}  // namespace

#ifdef MINRNN_COUNTS_MALLOC

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t size) {
  count();
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
  count();
  return __libc_calloc(number, size);
}
void* realloc(void* p, std::size_t size) {
  count();
  return __libc_realloc(p, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  count();
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** result, std::size_t alignment, std::size_t size) {
  count();
  *result = __libc_memalign(alignment, size);
  return *result == nullptr ? ENOMEM : 0;
}
void free(void* p) { __libc_free(p); }
}

#endif

namespace {
// Where malloc is counted, operator new is counted by it.
void* allocate(std::size_t size, std::size_t alignment = alignof(std::max_align_t)) {
#ifndef MINRNN_COUNTS_MALLOC
  count();
#endif
  if (counting.load(std::memory_order_relaxed))
    bytes.fetch_add(static_cast<std::int64_t>(size), std::memory_order_relaxed);
  void* p = alignment <= alignof(std::max_align_t)
                ? std::malloc(size == 0 ? 1 : size)
                : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace minrnn::tests {

AllocationCount::AllocationCount() {
  allocations = 0;
  bytes = 0;
  counting = true;
}
AllocationCount::~AllocationCount() { counting = false; }
std::int64_t AllocationCount::now() const { return allocations; }
std::int64_t AllocationCount::bytes_of_new() const { return bytes; }
bool AllocationCount::counts_malloc() {
#ifdef MINRNN_COUNTS_MALLOC
  return true;
#else
  return false;
#endif
}

}  // namespace minrnn::tests
