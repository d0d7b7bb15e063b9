//! Stocks: one use each, agreement of both sides, storage.

use quil_ot::OtError;
use quil_ot::block::Block;
use quil_ot::kernel::Isa;
use quil_ot::stock::{Method, SILENT_FROM, Stock, method_for};

use crate::{context, rng};

fn delta() -> Block {
    Block::new(0xffee_ddcc_bbaa_9988_7766_5544_3322_1101)
}

fn stocks(count: usize) -> (Stock, Stock) {
    let mut rng = rng(1);
    let sent: Vec<Block> = (0..count)
        .map(|_| Block::random(&mut rng).with_select(false))
        .collect();
    let received = sent
        .iter()
        .map(|block| *block ^ (delta() & Block::random(&mut rng).select_mask()))
        .collect();
    (
        Stock::sender(context(), delta(), sent),
        Stock::receiver(context(), received),
    )
}

#[test]
fn chosen_messages_arrive_under_any_offset() {
    let (mut sender, mut receiver) = stocks(1000);
    let offset = Block::new(0x42 << 64 | 1);
    for (isa, count) in Isa::available().into_iter().zip([300, 129, 1]) {
        let choices: Vec<Block> = (0..3)
            .map(|_| Block::random(&mut rng(count as u64)))
            .collect();
        let (theirs, ours) = (sender.take(count).unwrap(), receiver.take(count).unwrap());
        let flips = Stock::flips(&ours, &choices);
        let (zero, corrections) = sender.send_correlated(isa, &theirs, &flips, offset);
        let got = receiver
            .receive_correlated(isa, &ours, &choices, &corrections)
            .unwrap();
        for i in 0..count {
            let choice = (choices[i / 128].value() >> (i % 128)) & 1 == 1;
            assert!(
                got[i] == zero[i] ^ (offset & Block::mask(choice)),
                "{isa:?} {i}"
            );
        }
    }
}

#[test]
fn nothing_is_handed_out_twice() {
    let (mut sender, _) = stocks(10);
    let first = sender.take(4).unwrap();
    let second = sender.take(4).unwrap();
    assert_eq!((first.position, second.position), (0, 4));
    assert!(
        first
            .blocks
            .iter()
            .all(|block| !second.blocks.contains(block))
    );
    assert_eq!(
        sender.take(3).unwrap_err(),
        OtError::Stock { have: 2, want: 3 }
    );
    sender.skip_to(9);
    assert_eq!((sender.left(), sender.position()), (1, 9));
    sender.skip_to(2);
    assert_eq!(sender.position(), 9);
    sender.skip_to(u64::MAX);
    assert_eq!((sender.left(), sender.position()), (0, 10));
}

#[test]
fn stored_stock_continues_where_it_was() {
    let (mut sender, mut receiver) = stocks(50);
    sender.take(20).unwrap();
    receiver.take(20).unwrap();
    let bytes = sender.to_bytes();
    let mut restored = Stock::from_bytes(&bytes).unwrap();
    assert_eq!((restored.left(), restored.position()), (30, 20));
    let (theirs, ours) = (restored.take(30).unwrap(), receiver.take(30).unwrap());
    let choices = [Block::new(0x2aaa_5555)];
    let offset = Block::new(77);
    let (zero, corrections) =
        restored.send_correlated(Isa::best(), &theirs, &Stock::flips(&ours, &choices), offset);
    let got = receiver
        .receive_correlated(Isa::best(), &ours, &choices, &corrections)
        .unwrap();
    assert!(got[0] == zero[0] ^ offset || got[0] == zero[0]);
    assert!(got[1] == zero[1] ^ (offset & Block::mask(choices[0].value() & 2 != 0)));
    let short = receiver.receive_correlated(Isa::best(), &ours, &choices, &corrections[1..]);
    assert_eq!(short.unwrap_err(), OtError::Length { got: 29, want: 30 });
}

#[test]
fn bytes_that_are_no_stock_are_refused() {
    let (sender, _) = stocks(3);
    let bytes = sender.to_bytes();
    for cut in [0, 7, 20, 47, 50, bytes.len() - 1] {
        assert_eq!(
            Stock::from_bytes(&bytes[..cut]).unwrap_err(),
            OtError::StockEncoding,
            "{cut}"
        );
    }
    let mut bad = bytes.to_vec();
    bad[0] ^= 1;
    assert_eq!(Stock::from_bytes(&bad).unwrap_err(), OtError::StockEncoding);
}

#[test]
fn method_follows_the_size() {
    assert_eq!(method_for(SILENT_FROM - 1), Method::Extension);
    assert_eq!(method_for(SILENT_FROM), Method::Silent);
}
