//! Layouts, quantiles, exemplars, and what is shown of the young.

use super::*;

#[test]
fn observations_in_bulk_are_those_one_by_one() {
    let observe = |fields: &str| {
        format!(r#"{{"type":"histogram","name":"h","method":"observe","buckets":[1,2],{fields}}}"#)
    };
    let page = |deltas: &[String]| {
        let registry = Registry::new(SchemaConflicts::Adopt);
        let deltas: Vec<&str> = deltas.iter().map(String::as_str).collect();
        apply_all(&registry, &deltas).replace("ok\n", "")
    };
    let one_by_one = [0.5, 0.5, 1.5, 9.0].map(|value| observe(&format!("\"value\":{value}")));
    let want = page(&one_by_one);
    assert!(want.contains("h_bucket{le=\"2\"} 3\n") && want.contains("h_sum 11.5\n"), "{want}");
    assert_eq!(page(&[observe(r#""value":[0.5,0.5,1.5,9]"#)]), want);
    let counted = [observe(r#""value":0.5,"count":2"#), observe(r#""value":[1.5,9]"#)];
    assert_eq!(page(&counted), want);
    assert_eq!(page(&[observe(r#""counts":[2,1,1],"sum":11.5"#)]), want);
}

#[test]
fn native_buckets_hold_what_was_observed_as_often_as_it_was() {
    let registry = Registry::new(SchemaConflicts::Adopt);
    let observe = |fields: &str| {
        format!(r#"{{"type":"histogram","name":"h","method":"observe","native":true,{fields}}}"#)
    };
    let deltas = [observe(r#""value":0.5,"count":2"#), observe(r#""value":[1.5,9,-1],"count":3"#)];
    apply_all(&registry, &[&deltas[0], &deltas[1]]);
    let Value::Histogram(buckets) = first(&registry.snapshot(Timestamp(7)).families()[0]) else {
        unreachable!()
    };
    let native = buckets.native().unwrap();
    assert_eq!((native.count(), buckets.count(), native.negative()[0].count), (11, 11, 3));
}

#[test]
fn a_family_keeps_the_layout_that_it_began_with() {
    check(
        &[
            r#"{"type":"histogram","name":"h","method":"observe","value":3,"native":true}"#,
            r#"{"type":"histogram","name":"h","method":"observe","value":3}"#,
            r#"{"type":"histogram","name":"h","method":"observe","value":3,"buckets":[1]}"#,
            r#"{"type":"histogram","name":"h","method":"observe","native":{"schema":4}}"#,
            r#"{"type":"histogram","name":"h","method":"observe","counts":[1,0],"sum":1,"buckets":[1]}"#,
            r#"{"type":"summary","name":"s","method":"observe","objectives":{"0.5":0.1}}"#,
            r#"{"type":"summary","name":"s","method":"observe"}"#,
            r#"{"type":"summary","name":"s","method":"observe","objectives":{"0.9":0.1}}"#,
        ],
        "ok\nok\nok, own layout\nok, own layout\n\
         \"h\" has native buckets, into which counts cannot be sorted: send what was observed, or let \
         a rule of -histogram.native make it classic\nok\nok\nok, own layout\n\
         # HELP h \n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 4\nh_sum 9\nh_count 4\n\
         # HELP s \n# TYPE s summary\ns{quantile=\"0.5\"} 0\ns_sum 0\ns_count 3\n",
    );
}

#[test]
fn a_declared_series_is_there_with_nothing_in_it() {
    check(
        &[
            r#"{"type":"counter","name":"c","help":"h","method":"declare","labels":{"a":"1"}}"#,
            r#"{"type":"gauge","name":"g","method":"set","value":2}"#,
            r#"{"type":"gauge","name":"g","method":"declare"}"#,
            r#"{"type":"histogram","name":"h","method":"declare","buckets":[1]}"#,
            r#"{"type":"histogram","name":"h","method":"observe","value":1}"#,
            r#"{"type":"summary","name":"s","method":"declare","objectives":{"0.5":0.1}}"#,
        ],
        "ok\nok\nok\nok\nok, own layout\nok\n\
         # HELP c h\n# TYPE c counter\nc{a=\"1\"} 0\n# HELP g \n# TYPE g gauge\ng 2\n\
         # HELP h \n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\n\
         h_count 1\n# HELP s \n# TYPE s summary\ns{quantile=\"0.5\"} NaN\ns_sum 0\ns_count 0\n",
    );
}

#[test]
fn quantiles_are_of_late() {
    let registry = Registry::new(SchemaConflicts::Adopt);
    let observe = |value: f64, now: u64| {
        let message = format!(
            r#"{{"type":"summary","name":"s","method":"observe","value":{value},"objectives":{{"1":0}}}}"#
        );
        let message = json::decode(message.as_bytes(), &Limits::default());
        registry
            .apply(message.deltas[0].as_ref().unwrap(), Policy::default().source(), Timestamp(now))
            .unwrap();
    };
    let minute = 60_000;
    observe(1000.0, 0);
    observe(10.0, 5 * minute);
    for (now, want) in [(5, 1000.0), (9, 1000.0), (10, 10.0), (13, 10.0), (14, f64::NAN)] {
        let snapshot = registry.snapshot(Timestamp(now * minute));
        let Values::Summary(summaries) = &snapshot.families()[0].values else { unreachable!() };
        let (observations, quantiles) = summaries.iter().next().unwrap();
        let is_near =
            (quantiles[0] / want - 1.0).abs() < 0.011 || quantiles[0].is_nan() && want.is_nan();
        assert!(is_near, "{quantiles:?} after {now} minutes, not {want}");
        assert_eq!((observations.sum, observations.count), (1010.0, 2), "all time");
    }
}

#[test]
fn the_latest_exemplar_of_a_bucket_is_kept() {
    let registry = Registry::new(SchemaConflicts::Adopt);
    let observe = |layout: &str, value: u32, id: u32| {
        format!(
            r#"{{"type":"histogram","name":"h{}","method":"observe","value":{value},{layout},"exemplar":{{"labels":{{"id":"{id}"}}}}}}"#,
            layout.len()
        )
    };
    let kept = |family: usize| {
        let snapshot = registry.snapshot(Timestamp(9));
        let exemplars = snapshot.families()[family].exemplars.clone();
        let of = |(place, exemplar): &(usize, Arc<crate::model::Exemplar>)| {
            assert_eq!(exemplar.timestamp, Some(Timestamp(7)), "of its arrival");
            format!("{place} {:?} {}", exemplar.labels(), exemplar.value)
        };
        exemplars.iter().map(|(series, kept)| (*series, kept.iter().map(of).collect())).collect()
    };
    for id in 0..3 {
        let exemplar = format!(r#""exemplar":{{"labels":{{"id":"{id}"}}}}"#);
        apply_all(&registry, &[&INC.replace("\"h\"", &format!("\"h\",{exemplar}"))]);
    }
    assert_eq!(kept(0), [(0, vec![r#"0 {id="2"} 1"#.to_owned()])]);
    let classic = r#""buckets":[1,2]"#;
    for (value, id) in [(9, 1), (1, 2), (9, 3), (2, 4)] {
        apply_all(&registry, &[&observe(classic, value, id)]);
    }
    let want = [r#"0 {id="2"} 1"#, r#"1 {id="4"} 2"#, r#"2 {id="3"} 9"#].map(str::to_owned);
    assert_eq!(kept(1), [(0, want.to_vec())]);
    for id in 0..13 {
        apply_all(&registry, &[&observe(r#""native":true"#, id, id)]);
    }
    let kept: Vec<(usize, Vec<String>)> = kept(1);
    assert_eq!(kept[0].1.len(), 10, "{kept:?}");
    assert_eq!((&*kept[0].1[0], &*kept[0].1[9]), (r#"0 {id="3"} 3"#, r#"0 {id="12"} 12"#));
}

#[test]
fn what_is_young_can_be_shown_as_nothing() {
    let registry = Registry::new(SchemaConflicts::Adopt);
    let deltas = [
        INC,
        r#"{"type":"gauge","name":"g","method":"set","value":2}"#,
        r#"{"type":"histogram","name":"h","method":"observe","value":1,"buckets":[1],"native":true,"exemplar":{"labels":{}}}"#,
        r#"{"type":"summary","name":"s","method":"observe","value":1,"objectives":{"0.5":0}}"#,
    ];
    // Born at 7.
    let plain = apply_all(&registry, &deltas);
    let shown = |instant| {
        let mut snapshot = registry.snapshot(Timestamp(7));
        snapshot.zero_born_after(Timestamp(instant));
        let mut page = Vec::new();
        expose::encode(Shape::default(), Options::default(), &snapshot, &mut page);
        (String::from_utf8(page).unwrap(), snapshot.families()[2].exemplars.len())
    };
    assert_eq!(shown(7), (plain.replace("ok\n", ""), 1));
    let (young, exemplars) = shown(6);
    assert_eq!(exemplars, 0);
    for line in
        ["c 0", "g 2", "h_bucket{le=\"1\"} 0", "h_sum 0", "s{quantile=\"0.5\"} NaN", "s_count 0"]
    {
        assert!(young.lines().any(|shown| shown == line), "{line} in {young}");
    }
}
