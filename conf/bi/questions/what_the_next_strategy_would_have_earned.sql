-- What would the next strategy have earned with the contacts that were sent?
SELECT
    after.scheme,
    after.estimator,
    before.value AS logged_value,
    after.value,
    after.low,
    after.high,
    after.contacts,
    after.effective_contacts
FROM strategy_value AS after
JOIN strategy_value AS before
    ON before.scheme = after.scheme AND before.policy = 'logged' AND before.estimator = 'mean'
WHERE after.policy = 'next'
ORDER BY after.scheme, after.estimator
