//! The same round with conditional moves placed by hand: compilers turn the selections into longer sequences.
#![allow(
    unsafe_code,
    reason = "assembly: selections that compilers do not keep short"
)]

use core::arch::asm;

use super::Rows;

/// A half step on `$x` and its row `$ab` by `$y` and `$cd`; jumps to 9 when the remainder is below the floor.
macro_rules! half_step {
    ($x:literal, $y:literal, $ab:literal, $cd:literal, $far:literal, $done:literal) => {
        concat!(
            "mov rax, {",
            $x,
            "}\n",
            "shr rax, 3\n",
            "cmp rax, {",
            $y,
            "}\n",
            "jae ",
            $far,
            "f\n",
            "lea rdx, [{",
            $y,
            "} + {",
            $y,
            "}]\n",
            "lea rax, [{",
            $y,
            "} + 2*{",
            $y,
            "}]\n",
            "lea {e2}, [{",
            $cd,
            "} + {",
            $cd,
            "}]\n",
            "lea {e3}, [{",
            $cd,
            "} + 2*{",
            $cd,
            "}]\n",
            "mov {l}, {",
            $x,
            "}\n",
            "mov {h}, {",
            $x,
            "}\n",
            "sub {l}, rdx\n",
            "sub {h}, rax\n",
            "cmovc {h}, {l}\n",
            "cmovc {e3}, {e2}\n",
            "mov {l}, {",
            $x,
            "}\n",
            "mov {e2:e}, 0\n",
            "sub {l}, {",
            $y,
            "}\n",
            "cmovc {l}, {",
            $x,
            "}\n",
            "cmovnc {e2}, {",
            $cd,
            "}\n",
            "cmp {",
            $x,
            "}, rdx\n",
            "cmovc {h}, {l}\n",
            "cmovc {e3}, {e2}\n",
            $done,
            ":\n",
            "cmp {h}, {floor}\n",
            "jb 9f\n",
            "mov {",
            $x,
            "}, {h}\n",
            "add {",
            $ab,
            "}, {e3}\n",
        )
    };
}

/// The true quotient of `$x` by `$y`, which is not zero.
macro_rules! division {
    ($x:literal, $y:literal, $cd:literal, $far:literal, $done:literal) => {
        concat!(
            $far,
            ":\n",
            "mov rax, {",
            $x,
            "}\n",
            "xor edx, edx\n",
            "div {",
            $y,
            "}\n",
            "mov {h}, rdx\n",
            "mov {e3}, {",
            $cd,
            "}\n",
            "imul {e3}, rax\n",
            "jmp ",
            $done,
            "b\n",
        )
    };
}

/// [`super::run`] for `x, y` at or above a positive `floor`.
#[inline]
pub(super) fn run(mut x: u64, mut y: u64, floor: u64) -> Rows {
    let Rows { mut ab, mut cd } = Rows::IDENTITY;
    // SAFETY: no memory is touched, and nothing divides by zero: remainders stay at `floor` or above.
    unsafe {
        asm!(
            "2:",
            half_step!("x", "y", "ab", "cd", "3", "4"),
            half_step!("y", "x", "cd", "ab", "5", "6"),
            "jmp 2b",
            division!("x", "y", "cd", "3", "4"),
            division!("y", "x", "ab", "5", "6"),
            "9:",
            x = inout(reg) x,
            y = inout(reg) y,
            ab = inout(reg) ab,
            cd = inout(reg) cd,
            floor = in(reg) floor,
            l = out(reg) _,
            h = out(reg) _,
            e2 = out(reg) _,
            e3 = out(reg) _,
            out("rax") _,
            out("rdx") _,
            options(pure, nomem, nostack),
        );
    }
    let _ = (x, y);
    Rows { ab, cd }
}
