//! Message classes of an engine and topics of the gossip network (W2).

use quil_engine::io::Class;
use quil_p2p::blossomsub::Mask;
use quil_types::Chain;

/// What an engine of a chain listens to.
pub(super) fn topics(chain: Chain) -> [(Mask, Class); 3] {
    match chain {
        Chain::Global => [
            (Mask::GLOBAL_CONSENSUS, Class::Consensus(chain)),
            (Mask::GLOBAL_FRAMES, Class::FinalFrame(chain)),
            (Mask::GLOBAL_UPDATES, Class::Settlement),
        ],
        Chain::Shard(shard) => [
            (Mask::shard_consensus(&shard), Class::Consensus(chain)),
            (Mask::shard_frames(&shard), Class::FinalFrame(chain)),
            (Mask::shard_requests(&shard), Class::Bundle(chain)),
        ],
    }
}

/// The class of a topic, for an engine of a chain; `None` for topics that it does not listen to.
pub(super) fn class_of(chain: Chain, mask: &Mask) -> Option<Class> {
    topics(chain)
        .into_iter()
        .find(|(m, _)| m == mask)
        .map(|(_, class)| class)
}

/// Where a class is published; the global chain takes no bundles.
pub(super) fn mask_of(class: Class) -> Option<Mask> {
    let chain = match class {
        Class::Consensus(chain) | Class::FinalFrame(chain) | Class::Bundle(chain) => chain,
        Class::Settlement => Chain::Global,
    };
    topics(chain)
        .into_iter()
        .find(|(_, c)| *c == class)
        .map(|(mask, _)| mask)
}

#[cfg(test)]
mod tests {
    use quil_types::ShardAddr;

    use super::*;

    #[test]
    fn every_topic_maps_back_to_its_class_and_to_no_other_chain() {
        let chains = [
            Chain::Global,
            Chain::Shard(ShardAddr([1; 32])),
            Chain::Shard(ShardAddr([2; 32])),
        ];
        for chain in chains {
            for (mask, class) in topics(chain) {
                assert_eq!(mask_of(class), Some(mask));
                assert_eq!(class_of(chain, &mask), Some(class));
                assert!(
                    chains
                        .iter()
                        .all(|c| *c == chain || class_of(*c, &mask).is_none())
                );
            }
        }
        assert_eq!(mask_of(Class::Bundle(Chain::Global)), None);
    }
}
