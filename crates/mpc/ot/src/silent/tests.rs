//! A sender that deviates and answers the check for the bytes it really sent.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;

/// The fastest form, also when the process is told to be portable: what is shown does not depend on it.
fn form() -> Isa {
    Isa::of_machine().last().copied().unwrap()
}

const DELTA: Block = Block::new(0x1234_5678_9abc_def0_1234_5678_9abc_def1);
/// As small as the parameters allow: the law does not depend on the size.
const PARAMS: Params = Params {
    trees: 4,
    depth: 6,
    inputs: 20,
};

/// Runs a round with block `at` of message 1 changed; gives the receiver's result and whether it opened that block.
fn cheat(at: usize, run: u64) -> (Result<Vec<Block>, OtError>, Vec<Block>, bool) {
    let mut rng = ChaCha20Rng::seed_from_u64(run);
    let context = Context::new([9; 32]);
    let mut sent: Vec<Block> = (0..PARAMS.reserve())
        .map(|_| Block::random(&mut rng))
        .collect();
    normalise_sent(&mut sent);
    let received: Vec<Block> = sent
        .iter()
        .map(|block| *block ^ (DELTA & Block::random(&mut rng).select_mask()))
        .collect();
    let per_tree = 2 * PARAMS.depth + 1;
    let (tree, place) = (at / per_tree, at % per_tree);
    let opened = place == per_tree - 1
        || received[tree * PARAMS.depth + place / 2].select() == (place % 2 == 1);
    let mut sender = SilentSender::new(PARAMS, context, form(), DELTA, sent).unwrap();
    let mut receiver = SilentReceiver::new(PARAMS, context, form(), received).unwrap();
    sender.start(Block::random(&mut rng)).unwrap();
    let mut hashed = sender.common.round_context().hasher("silent check");
    let (mut first, mut answer) = (true, None);
    while let Some(mut piece) = sender.next_piece().unwrap() {
        if core::mem::take(&mut first) {
            piece[16 * at + 5] ^= 1;
        }
        answer = receiver.take_piece(&piece).unwrap();
        hashed = hashed.part(&piece);
    }
    // It answers for the bytes it really sent.
    let round = sender.round.as_ref().unwrap();
    let challenge = check::Challenge::new(&hashed, form(), &PARAMS);
    let masks = segments(&PARAMS, &sender.common.reserve).unwrap().masks;
    sender.sum = Some(challenge.sum(form(), &round.leaves) ^ check::pack(form(), masks));
    let answer = answer.unwrap();
    let digest = sender.answer(&answer).unwrap();
    (receiver.finish(&digest), sender.finish().unwrap(), opened)
}

/// A lie about one sum is caught exactly when the receiver opens that sum, so half of the time; a lie about the last
/// block of a tree always. A guess that holds leaves the output right.
#[test]
fn cheating_sender_is_caught_with_the_promised_probability() {
    const RUNS: u32 = 10_000;
    let per_tree = 2 * PARAMS.depth + 1;
    let mut lucky = 0;
    for run in 0..RUNS {
        let at = usize::try_from(run).unwrap() % (PARAMS.trees * per_tree);
        let (result, sent, opened) = cheat(at, u64::from(run));
        match result {
            Err(error) => assert!(error == OtError::SilentCheck && opened, "run {run}"),
            Ok(received) => {
                assert!(!opened, "run {run}");
                let law = |(w, v): (&Block, &Block)| *w == *v ^ (DELTA & w.select_mask());
                assert!(received.iter().zip(&sent).all(law), "run {run}");
                lucky += 1;
            }
        }
    }
    // Twelve places of thirteen escape half of the time: 4615 of 10,000, give or take five deviations.
    assert!((4365..4865).contains(&lucky), "{lucky} of {RUNS}");
}
