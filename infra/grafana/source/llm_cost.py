"""What language models cost, and for what."""

import panels as p
from panels import MINE

COST = f"docket_llm_request_cost_usd_sum{{{MINE}}}"


def dashboard():
    return p.dashboard(
        "docket-llm",
        "Docket / LLM cost",
        "Dollars, tokens and calls by model. The ledger holds the exact money; these are its counters.",
        [
            p.stat("Dollars, last hour", "All models together.", "currencyUSD", f"sum(increase({COST}[1h]))", decimals=2),
            p.stat("Dollars, last day", "All models together.", "currencyUSD", f"sum(increase({COST}[1d]))", decimals=2),
            p.stat("Dollars an item, last day", "Divided by the items that were summarised.", "currencyUSD",
                   f'sum(increase(docket_llm_request_cost_usd_sum{{{MINE}, prompt_type="item"}}[1d])) / '
                   f'sum(increase(docket_llm_requests_total{{{MINE}, prompt_type="item", status="ok"}}[1d]))', decimals=4),
            p.stat("Tokens, last day", "Sent and received.", "short",
                   f"sum(increase(docket_llm_tokens_total{{{MINE}}}[1d]))", decimals=0),
            p.stat("Paid for before, last day", "Summaries that needed no call, because their input had not changed.",
                   "short", f"sum(increase(docket_llm_reused_total{{{MINE}}}[1d]))", decimals=0),
            p.stat("Budget spent", "The largest share of any budget. 90 % make a ticket, at 100 % jobs wait for its reset.",
                   "percentunit", 'max(docket_llm_budget_spent_ratio{job=~"$job"})', 0.9, decimals=0),
            p.series("Dollars an hour, by model", "At the rate of the moment.", "currencyUSD",
                     [(f"3600 * sum by (model) (rate({COST}[$__rate_interval]))", "{{model}}")]),
            p.series("Dollars of the day before each moment, by model", "Four times the average of the day before wakes "
                     "somebody.", "currencyUSD", [(f"sum by (model) (increase({COST}[1d]))", "{{model}}")]),
            p.series("Tokens a minute", "Input and output by model: output costs several times as much.", "short",
                     [(f"60 * sum by (model, token_type) (rate(docket_llm_tokens_total{{{MINE}}}[$__rate_interval]))",
                       "{{model}} {{token_type}}")]),
            p.series("Calls a minute, by status", "quota and daily_quota hold jobs until they are reset; rate_limited holds them for a moment.", "opm",
                     [(f"60 * sum by (status) (rate(docket_llm_requests_total{{{MINE}}}[$__rate_interval]))", "{{status}}")]),
            p.series("Time of a call", "p50 and p95 by model.", "s",
                     [(f"histogram_quantile({q}, sum by (model, le) "
                       f"(rate(docket_llm_request_duration_seconds_bucket{{{MINE}}}[$__rate_interval])))",
                       "{{model}} p" + str(round(q * 100))) for q in (0.5, 0.95)]),
            p.series("Dollars a call, by prompt", "The average. It grows with documents, and with models.", "currencyUSD",
                     [(f"sum by (prompt_type) (rate({COST}[$__rate_interval])) / sum by (prompt_type) "
                       f"(rate(docket_llm_request_cost_usd_count{{{MINE}}}[$__rate_interval]))", "{{prompt_type}}")]),
            p.series("Summaries a minute that needed no call", "By prompt: a replay should make many.", "opm",
                     [(f"60 * sum by (prompt_type) (rate(docket_llm_reused_total{{{MINE}}}[$__rate_interval]))",
                       "{{prompt_type}}")]),
            p.series("Answers that were not taken, an hour", "By what was wrong: what the source does not have, or no answer.",
                     "short", [(f"3600 * sum by (reason) (rate(docket_summaries_rejected_total{{{MINE}}}[$__rate_interval]))",
                       "{{reason}}")]),
            p.series("Budgets", "Share that is spent; jobs wait at 100 %.", "percentunit",
                     [('max by (budget) (docket_llm_budget_spent_ratio{job=~"$job"})', "{{budget}}")], 0.9),
        ],
    )
