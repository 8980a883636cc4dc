//! What every store keeps to, and what this one survives.

mod conformance;
mod damage;
mod disk;
mod driver;
mod faults;
mod model;
mod power;
