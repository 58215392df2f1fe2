//! Operators on values: exact arithmetic on integers, and the total order of jq.

use std::{
    cmp::Ordering,
    ops::{Add, Div, Mul, Neg, Rem, Sub},
    rc::Rc,
};

use jaq_core::{Error, ops::Math};

use super::{
    budget::{self, Exhausted},
    value::{Object, Text, Value},
};

type Outcome = Result<Value, Error<Value>>;

/// Applies an operator to two numbers: exactly if both are integers and the result fits, else on floats.
fn numbers(
    left: &Value,
    right: &Value,
    whole: fn(i128, i128) -> Option<i128>,
    fraction: fn(f64, f64) -> f64,
) -> Option<Value> {
    budget::step(1);
    let exact = left.as_whole().zip(right.as_whole()).and_then(|(left, right)| whole(left, right));
    match exact {
        Some(number) => Some(Value::whole(number)),
        None => Some(Value::fraction(fraction(left.as_fraction()?, right.as_fraction()?))),
    }
}

impl Add for Value {
    type Output = Outcome;

    fn add(self, right: Self) -> Outcome {
        match (self, right) {
            (Self::Null(_), other) | (other, Self::Null(_)) => Ok(other),
            (Self::Text(left), Self::Text(right)) => {
                fits(left.as_str().len() + right.as_str().len());
                Ok(Self::text([left.as_str(), right.as_str()].concat()))
            }
            (Self::Array(mut left), Self::Array(right)) => {
                let array = Rc::make_mut(&mut left);
                right.items().iter().for_each(|item| array.push(item.clone()));
                Ok(Self::Array(left))
            }
            (Self::Object(mut left), Self::Object(right)) => {
                let object = Rc::make_mut(&mut left);
                right.members().iter().for_each(|(name, value)| object.insert(name.clone(), value.clone()));
                Ok(Self::Object(left))
            }
            (left, right) => {
                let sum = numbers(&left, &right, i128::checked_add, |left, right| left + right);
                sum.ok_or_else(|| Error::math(left, Math::Add, right))
            }
        }
    }
}

impl Sub for Value {
    type Output = Outcome;

    fn sub(self, right: Self) -> Outcome {
        match (self, right) {
            (Self::Array(mut left), Self::Array(right)) => {
                let mut unwanted: Vec<_> = right.items().to_vec();
                unwanted.sort();
                Rc::make_mut(&mut left).retain(|item| unwanted.binary_search(item).is_err());
                Ok(Self::Array(left))
            }
            (left, right) => {
                let difference = numbers(&left, &right, i128::checked_sub, |left, right| left - right);
                difference.ok_or_else(|| Error::math(left, Math::Sub, right))
            }
        }
    }
}

impl Mul for Value {
    type Output = Outcome;

    fn mul(self, right: Self) -> Outcome {
        match (self, right) {
            (Self::Text(text), times @ Self::Number(_)) | (times @ Self::Number(_), Self::Text(text)) => {
                Ok(repeated(&text, times.as_fraction().unwrap_or_default()))
            }
            (Self::Object(mut left), Self::Object(right)) => {
                Object::merge(Rc::make_mut(&mut left), &right);
                Ok(Self::Object(left))
            }
            (left, right) => {
                let product = numbers(&left, &right, i128::checked_mul, |left, right| left * right);
                product.ok_or_else(|| Error::math(left, Math::Mul, right))
            }
        }
    }
}

fn repeated(text: &Text, times: f64) -> Value {
    if times <= 0.0 || times.is_nan() {
        return Value::Null(0);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive; saturates, then refused")]
    let times = times.ceil() as usize;
    fits(text.as_str().len().saturating_mul(times));
    Value::text(text.as_str().repeat(times))
}

/// Aborts the evaluation if there is not enough memory left for a text.
pub(super) fn fits(bytes: usize) {
    if bytes > budget::room() {
        budget::stop(Exhausted::Memory);
    }
}

impl Div for Value {
    type Output = Outcome;

    fn div(self, right: Self) -> Outcome {
        if let (Some(text), Some(separator)) = (self.as_text(), right.as_text()) {
            return Ok(match (text, separator) {
                ("", _) => Self::array([]),
                (text, "") => Self::array(text.chars().map(Self::text)),
                (text, separator) => Self::array(text.split(separator).map(Self::text)),
            });
        }
        let exactly =
            |left: i128, right: i128| if left.checked_rem(right)? == 0 { left.checked_div(right) } else { None };
        let quotient = numbers(&self, &right, exactly, |left, right| left / right);
        quotient.ok_or_else(|| Error::math(self, Math::Div, right))
    }
}

impl Rem for Value {
    type Output = Outcome;

    fn rem(self, right: Self) -> Outcome {
        if right.as_whole() == Some(0) && self.as_whole().is_some() {
            return Err(Error::math(self, Math::Rem, right));
        }
        let rest = numbers(&self, &right, i128::checked_rem, |left, right| left % right);
        rest.ok_or_else(|| Error::math(self, Math::Rem, right))
    }
}

impl Neg for Value {
    type Output = Outcome;

    fn neg(self) -> Outcome {
        match (self.as_whole(), self.as_fraction()) {
            (Some(number), _) => Ok(Self::whole(-number)),
            (None, Some(number)) => Ok(Self::fraction(-number)),
            (None, None) => Err(Error::typ(self, "number")),
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// `null` < `false` < `true` < numbers < strings < arrays < objects.
impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        budget::step(1);
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (Self::Number(_), Self::Number(_)) => compare_numbers(self, other),
            (Self::Text(left), Self::Text(right)) => {
                budget::step(left.as_str().len().min(right.as_str().len()) as u64 / 64);
                left.as_str().cmp(right.as_str())
            }
            (Self::Array(left), Self::Array(right)) => left.items().cmp(right.items()),
            (Self::Object(left), Self::Object(right)) => {
                let (left, right) = (left.members(), right.members());
                left.keys().cmp(right.keys()).then_with(|| left.values().cmp(right.values()))
            }
            (left, right) => left.rank().cmp(&right.rank()),
        }
    }
}

fn compare_numbers(left: &Value, right: &Value) -> Ordering {
    if let (Some(left), Some(right)) = (left.as_whole(), right.as_whole()) {
        return left.cmp(&right);
    }
    let (left, right) = (left.as_fraction().unwrap_or_default(), right.as_fraction().unwrap_or_default());
    // NaN is less than every number, including itself: the order of jq.
    left.partial_cmp(&right).unwrap_or(if left.is_nan() { Ordering::Less } else { Ordering::Greater })
}

impl Value {
    const fn rank(&self) -> u8 {
        match self {
            Self::Null(_) => 0,
            Self::Bool(_) => 1,
            Self::Number(_) => 2,
            Self::Text(_) => 3,
            Self::Array(_) => 4,
            Self::Object(_) => 5,
        }
    }
}
