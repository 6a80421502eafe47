//! Draws that can be repeated: a number in 0..1 made from two others, the same for the same two.
//!
//! Where the loops draw lots, the lots of neighbours must differ, and nobody gains by guessing them: jobs that failed
//! together must not return together, and two workers must not both drain for one suspect. Made from what tells the
//! neighbours apart, a draw needs no source of randomness, and a run that is simulated again goes the same way again.

/// A number in 0..1, spread evenly over the pairs.
pub(super) fn draw(one: i64, other: i64) -> f64 {
    let bits = mix(mix(one.cast_unsigned()) ^ other.cast_unsigned()) >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what an f64 holds")]
    let (bits, all) = (bits as f64, (1_u64 << 53) as f64);
    bits / all
}

/// The finalizer of splitmix64: each bit of the input reaches each bit of the output.
const fn mix(input: u64) -> u64 {
    let mut z = input.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_draw_evenly_and_apart() {
        for of in [|n: i64| draw(n, 3), |n: i64| draw(3, n), |n: i64| draw(n, n)] {
            let mut tenths = [0_u32; 10];
            for n in 0..10_000 {
                let drawn = of(n);
                assert!((0.0..1.0).contains(&drawn));
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..10")]
                let tenth = (drawn * 10.0) as usize;
                tenths[tenth] += 1;
            }
            assert!(tenths.iter().all(|count| (850..1150).contains(count)), "{tenths:?}");
        }
    }

    #[test]
    fn two_workers_seldom_win_the_same_draw() {
        let wins = |worker: i64, beat: i64| draw(worker, beat) * 2.0 < 1.0;
        let both = (0..10_000).filter(|beat| wins(1, *beat) && wins(2, *beat)).count();
        assert!((2200..2800).contains(&both), "{both} of 10,000, a quarter is expected");
    }
}
