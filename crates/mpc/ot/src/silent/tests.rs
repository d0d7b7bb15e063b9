//! A sender that deviates and answers the check for the bytes it really sent.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;

const DELTA: Block = Block::new(0x1234_5678_9abc_def0_1234_5678_9abc_def1);
const PARAMS: Params = Params::TOY;

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
    let mut sender = SilentSender::new(PARAMS, context, Isa::best(), DELTA, sent).unwrap();
    let mut receiver = SilentReceiver::new(PARAMS, context, Isa::best(), received).unwrap();
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
    let challenge = check::Challenge::new(&hashed, Isa::best(), &PARAMS);
    let masks = segments(&PARAMS, &sender.common.reserve).unwrap().masks;
    sender.sum = Some(challenge.sum(Isa::best(), &round.leaves) ^ check::pack(Isa::best(), masks));
    let answer = answer.unwrap();
    let digest = sender.answer(&answer).unwrap();
    (receiver.finish(&digest), sender.finish().unwrap(), opened)
}

/// Guessing a noise bit costs an even chance of being caught, and a guess that holds leaves the output right.
#[test]
fn cheating_sender_is_caught_when_the_receiver_opens_the_lie() {
    let per_tree = 2 * PARAMS.depth + 1;
    let (mut caught, mut lucky) = (0, 0);
    for run in 0..600 {
        let at = usize::try_from(run).unwrap() % (5 * per_tree);
        let (result, sent, opened) = cheat(at, run);
        match result {
            Err(error) => {
                assert_eq!(error, OtError::SilentCheck);
                assert!(opened, "run {run}");
                caught += 1;
            }
            Ok(received) => {
                assert!(!opened, "run {run}");
                assert!(
                    received
                        .iter()
                        .zip(&sent)
                        .all(|(w, v)| *w == *v ^ (DELTA & w.select_mask()))
                );
                lucky += 1;
            }
        }
    }
    assert!(
        caught > 250 && lucky > 200,
        "{caught} caught, {lucky} lucky"
    );
}
