// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// Names that other libraries take for all who include them. No include guard: they stay.

// windows.h without NOMINMAX and WIN32_LEAN_AND_MEAN
#define near
#define far
#define NEAR
#define FAR
#define small char
#define hyper __int64
#define interface struct
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define IN
#define OUT
#define OPTIONAL
#define ERROR 0
#define DELETE 0x00010000L
#define CONST const
#define VOID void
#define TRUE 1
#define FALSE 0
#define THIS void
#define THIS_
#define PURE = 0
#define STRICT 1
#define INFINITE 0xFFFFFFFF
#define IGNORE 0
#define DOMAIN 1
#define OVERFLOW 3
#define UNDERFLOW 4
#define ABSOLUTE 1
#define RELATIVE 2
#define OPAQUE 2
#define TRANSPARENT 1
#define ALTERNATE 1
#define PASSTHROUGH 19
#define DIFFERENCE 11
#define NO_ERROR 0L
#define UNALIGNED
#define pascal __stdcall
#define cdecl __cdecl
#define Yield()
#define GetObject GetObjectA
#define CreateFile CreateFileA
#define CopyFile CopyFileA
#define CopyMemory RtlCopyMemory
#define FillMemory RtlFillMemory
#define GetMessage GetMessageA
#define LoadLibrary LoadLibraryA
#define Rectangle RectangleA

// complex.h
#define complex _Complex
#define imaginary _Imaginary
#define I _Complex_I

// Arduino
#define B0 0
#define B1 1
#define B11111111 255
#define F(text) (reinterpret_cast<const char*>(text))
#define abs(x) ((x) > 0 ? (x) : -(x))
#define round(x) ((x) >= 0 ? static_cast<long>((x) + 0.5) : static_cast<long>((x)-0.5))
#define constrain(x, low, high) ((x) < (low) ? (low) : ((x) > (high) ? (high) : (x)))
#define radians(degree) ((degree)*DEG_TO_RAD)
#define degrees(radian) ((radian)*RAD_TO_DEG)
#define sq(x) ((x) * (x))
#define bit(b) (1UL << (b))
#define lowByte(w) (static_cast<unsigned char>((w)&0xff))
#define highByte(w) (static_cast<unsigned char>((w) >> 8))
#define interrupts() sei()
#define word(...) makeWord(__VA_ARGS__)
#define PI 3.1415926535897932384626433832795
#define HALF_PI 1.5707963267948966192313216916398
#define TWO_PI 6.283185307179586476925286766559
#define EULER 2.718281828459045235360287471352
#define DEG_TO_RAD 0.017453292519943295769236907684886
#define RAD_TO_DEG 57.295779513082320876798154814105
#define HIGH 0x1
#define LOW 0x0
#define INPUT 0x0
#define OUTPUT 0x1
#define CHANGE 1
#define DEFAULT 1
#define INTERNAL 3
#define EXTERNAL 0
#define SERIAL 0x0
#define DISPLAY 0x1
#define _L 1
#define _N 2
#define _P 3
#define _S 4

// curses; it takes clear, erase and move back where the language is C++
#define timeout(delay) wtimeout(stdscr, delay)
#define border(...) wborder(stdscr, __VA_ARGS__)
#define scroll(window) wscrl(window, 1)
#define instr(s) winstr(stdscr, s)
#define getch() wgetch(stdscr)
#define insch(c) winsch(stdscr, c)
#define delch() wdelch(stdscr)
#define deleteln() winsdelln(stdscr, -1)
#define addstr(s) waddnstr(stdscr, s, -1)
#define attron(a) wattron(stdscr, a)
#define standout() wstandout(stdscr)
#define ERR (-1)
#define OK (0)

// X11
#define None 0L
#define Bool int
#define Status int
#define True 1
#define False 0
#define Success 0
#define Always 2
#define Above 0
#define Below 1
#define Complex 0
#define Convex 2
#define Unsorted 0
#define FocusIn 9
#define KeyPress 2
#define Expose 12
#define CurrentTime 0L
#define ControlMask (1 << 2)
#define AllocNone 0

// Qt and the Linux kernel's habits
#define slots
#define signals public
#define emit
#define foreach(variable, container) for (variable : container)
#define forever for (;;)
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

// Unreal Engine, AssertMacros.h of Apple, logging and test libraries
#define check(expression) \
  do {                    \
  } while (false)
#define verify(expression) \
  do {                     \
  } while (false)
#define ensure(expression) (expression)
#define checkf(expression, format, ...)
#define verifyf(expression, format, ...)
#define checkSlow(expression)
#define checkCode(code)
#define require(assertion, label) \
  do {                            \
  } while (false)
#define require_noerr(error, label)
#define check_noerr(error)
#define unimplemented()
#define TEXT(text) L##text
#define LOCTEXT(key, text)
#define INDEX_NONE (-1)
#define FORCEINLINE inline
#define RESTRICT __restrict
#define ASSUME(expression)
#define LIKELY(x) (x)
#define UNLIKELY(x) (x)
#define CHECK(condition)
#define REQUIRE(condition)
#define ASSERT(condition)
#define EXPECT(condition)
#define LOG(level)
#define INFO(message)
#define FAIL(message)
#define SECTION(name)
#define TEST(suite, name)

// R, without R_NO_REMAP
#define error Rf_error
#define warning Rf_warning
#define allocVector Rf_allocVector
#define nrows Rf_nrows
#define ncols Rf_ncols
#define eval Rf_eval

// GLib, sys/param.h, sys/sysmacros.h, Objective-C
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define CLAMP(x, low, high) ((x) > (high) ? (high) : ((x) < (low) ? (low) : (x)))
#define ABS(a) ((a) < 0 ? -(a) : (a))
#define major(device) gnu_dev_major(device)
#define minor(device) gnu_dev_minor(device)
#define nil nullptr
#define YES 1
#define NO 0
