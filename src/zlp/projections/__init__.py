"""Read models made from events: trades, candles, profit and loss, yields, risk and exports."""
