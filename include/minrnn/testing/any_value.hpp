// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <memory>
#include <stdexcept>
#include <utility>

namespace minrnn::detail::erased {

/// A value of some type, which only the place where it was made knows. It is copied, moved and assigned as that type
/// does it, so that a mistake in any of these shows. Nothing at first.
class AnyValue {
 public:
  AnyValue() = default;
  template <class T>
  explicit AnyValue(T value) : held_(std::make_unique<Held<T>>(std::move(value))) {}
  AnyValue(const AnyValue& other) : held_(other.held_ ? other.held_->copy() : nullptr) {}
  AnyValue(AnyValue&& other) : held_(other.held_ ? other.held_->move() : nullptr) {}
  AnyValue& operator=(const AnyValue& other) {
    if (held_ && other.held_) {
      held_->assign(*other.held_);
    } else {
      held_ = other.held_ ? other.held_->copy() : nullptr;
    }
    return *this;
  }
  AnyValue& operator=(AnyValue&& other) {
    if (held_ && other.held_) {
      held_->assign(std::move(*other.held_));
    } else {
      held_ = other.held_ ? other.held_->move() : nullptr;
    }
    return *this;
  }

  bool has_value() const { return held_ != nullptr; }
  template <class T>
  void emplace() {
    held_ = std::make_unique<Held<T>>();
  }
  /// The value. Throws std::bad_cast where it is of another type.
  template <class T>
  T& as() {
    return dynamic_cast<Held<T>&>(*held_).value;
  }
  template <class T>
  const T& as() const {
    return dynamic_cast<const Held<T>&>(*held_).value;
  }

 private:
  struct Value {
    virtual ~Value() = default;
    virtual std::unique_ptr<Value> copy() const = 0;
    virtual std::unique_ptr<Value> move() = 0;
    virtual void assign(const Value& other) = 0;
    virtual void assign(Value&& other) = 0;
  };

  template <class T>
  struct Held final : Value {
    T value;

    Held() = default;
    explicit Held(const T& other) : value(other) {}
    explicit Held(T&& other) : value(std::move(other)) {}
    std::unique_ptr<Value> copy() const override {
      if constexpr (std::copyable<T>)
        return std::make_unique<Held>(value);
      else
        throw std::logic_error("a value that can only be moved");
    }
    std::unique_ptr<Value> move() override { return std::make_unique<Held>(std::move(value)); }
    void assign(const Value& other) override {
      if constexpr (std::copyable<T>)
        value = dynamic_cast<const Held&>(other).value;
      else
        throw std::logic_error("a value that can only be moved");
    }
    void assign(Value&& other) override { value = std::move(dynamic_cast<Held&>(other).value); }
  };

  std::unique_ptr<Value> held_;
};

}  // namespace minrnn::detail::erased
